// Keeps the page up to date: the server sends its main part whenever that has changed. What is the same stays in place, so
// that focus, open details and the place on the page are kept. Without this script the page stays as it is.
(() => {
  const light = document.getElementById('live');
  const main = document.getElementById('main');
  if (!light || !window.EventSource) return;

  const busy = () => !getSelection().isCollapsed || main.contains(document.activeElement) &&
    /^(INPUT|SELECT)$/.test(document.activeElement.tagName);

  // morph makes one element like another.
  const morph = (from, to) => {
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !(from.tagName === 'DETAILS' && name === 'open')) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value && !(from.tagName === 'DETAILS' && name === 'open')) from.setAttribute(name, value);
    }
    const old = [...from.childNodes];
    const next = [...to.childNodes];
    next.forEach((node, i) => {
      const before = old[i];
      if (!before) {
        from.appendChild(node);
      } else if (before.nodeType !== node.nodeType || before.nodeName !== node.nodeName) {
        before.replaceWith(node);
      } else if (node.nodeType !== Node.ELEMENT_NODE) {
        if (before.nodeValue !== node.nodeValue) before.nodeValue = node.nodeValue;
      } else if (!before.isEqualNode(node)) {
        morph(before, node);
      }
    });
    old.slice(next.length).forEach((node) => node.remove());
  };

  const say = (text, on) => {
    light.hidden = false;
    light.textContent = text;
    light.classList.toggle('off', !on);
  };

  let source;
  const connect = () => {
    source = new EventSource('/live?page=' + encodeURIComponent(light.dataset.page));
    source.addEventListener('open', () => say('live', true));
    source.addEventListener('main', (event) => {
      if (busy()) return;
      const fresh = document.createElement('main');
      fresh.innerHTML = event.data;
      [...main.attributes].forEach(({ name, value }) => fresh.setAttribute(name, value));
      morph(main, fresh);
    });
    source.addEventListener('end', () => {
      source.close();
      say('settled', false);
    });
    source.addEventListener('error', () => {
      say(source.readyState === EventSource.CLOSED ? 'not live' : 'reconnecting', false);
    });
  };
  const pause = () => {
    if (document.hidden) source.close();
    else if (light.textContent !== 'settled') connect();
  };
  connect();
  document.addEventListener('visibilitychange', pause);
})();

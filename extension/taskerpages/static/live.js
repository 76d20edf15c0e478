// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Updates the page: the server sends its main part whenever it has changed. Unchanged elements are kept, and with them focus,
// open details and the scroll position. Without this script the page is static.
(() => {
  const light = document.getElementById('live');
  const main = document.getElementById('main');
  if (!light || !window.EventSource) return;

  const busy = () => !getSelection().isCollapsed || main.contains(document.activeElement) &&
    /^(INPUT|SELECT)$/.test(document.activeElement.tagName);

  // morph makes one element like another. Children with an id are moved rather than replaced.
  const morph = (from, to) => {
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !(from.tagName === 'DETAILS' && name === 'open')) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value && !(from.tagName === 'DETAILS' && name === 'open')) from.setAttribute(name, value);
    }
    let place = from.firstChild;
    for (const node of [...to.childNodes]) {
      const same = node.id && [...from.children].find((child) => child.id === node.id);
      if (same && same !== place) {
        from.insertBefore(same, place);
        place = same;
      }
      const other = !place || place.nodeName !== node.nodeName || !same && (place.id || node.id);
      if (other) {
        from.insertBefore(node, place);
        continue;
      }
      if (node.nodeType !== Node.ELEMENT_NODE) {
        if (place.nodeValue !== node.nodeValue) place.nodeValue = node.nodeValue;
      } else if (!place.isEqualNode(node)) {
        morph(place, node);
      }
      place = place.nextSibling;
    }
    while (place) {
      const rest = place;
      place = place.nextSibling;
      rest.remove();
    }
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

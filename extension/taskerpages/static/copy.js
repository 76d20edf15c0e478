// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// A click on an id copies it.
document.addEventListener('click', (event) => {
  const id = event.target.closest('code.copy');
  if (!id || !navigator.clipboard || String(getSelection())) return;
  navigator.clipboard.writeText(id.textContent).then(() => {
    id.classList.add('copied');
    setTimeout(() => id.classList.remove('copied'), 1200);
  }, () => {});
});

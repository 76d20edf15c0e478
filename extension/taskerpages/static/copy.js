// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Copies an id when it is clicked.
document.addEventListener('click', (event) => {
  const id = event.target.closest('code.copy');
  if (!id || !navigator.clipboard || String(getSelection())) return;
  navigator.clipboard.writeText(id.textContent).then(() => {
    id.classList.add('copied');
    setTimeout(() => id.classList.remove('copied'), 1200);
  }, () => {});
});

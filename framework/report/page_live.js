// A page that is served: looks every other second whether it has changed, and takes the new one over
// without losing what was clicked.
(() => {
  'use strict';
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const name = (table) => table.caption.textContent;
  const opened = (part) => part.querySelector('summary').textContent;
  const status = document.createElement('p');
  status.className = 'note live';
  status.setAttribute('role', 'status');
  const tell = (text) => { if (status.textContent !== text) status.textContent = text; };

  const kept = () => ({
    off: all('.key[aria-pressed=false]').map((key) => key.dataset.g),
    along: document.querySelector('input[name=along]:checked')?.id,
    sorted: all('.sortable').flatMap((table) => all('th[aria-sort]', table).map((head) =>
      [name(table), head.cellIndex, head.getAttribute('aria-sort')])),
    details: all('details').map((part) => [opened(part), part.open]),
    focus: document.activeElement?.dataset.g,
  });
  const restore = (state) => {
    for (const group of state.off) document.querySelector(`.key[data-g="${group}"]`)?.click();
    if (state.along) document.getElementById(state.along)?.click();
    for (const [caption, column, order] of state.sorted) {
      const head = all('.sortable').find((table) => name(table) === caption)?.tHead.rows[0].cells[column];
      for (let i = 0; head && i < 2 && head.getAttribute('aria-sort') !== order; ++i) head.firstChild.click();
    }
    for (const [text, open] of state.details) {
      const part = all('details').find((other) => opened(other) === text);
      if (part) part.open = open;
    }
    if (state.focus) document.querySelector(`.key[data-g="${state.focus}"]`)?.focus();
  };

  let mark = null;
  const look = async () => {
    try {
      const now = await (await fetch('/mark')).text();
      if (mark !== null && now !== mark) {
        const answer = await fetch('/');
        if (!answer.ok) throw new Error(await answer.text());
        const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const state = kept(), top = window.scrollY;
        for (const part of ['header', 'main']) document.querySelector(part).replaceWith(next.querySelector(part));
        document.querySelector('style').textContent = next.querySelector('style').textContent;
        document.title = next.title;
        start();
        restore(state);
        window.scrollTo(0, top);
        document.querySelector('header').append(status);
      }
      mark = now;
      tell('Live: this page follows the runs.');
    } catch (problem) {
      tell('Not live any more: `trainer report --serve` does not answer.');
    }
    setTimeout(look, 2000);
  };
  document.querySelector('header').append(status);
  look();
})();

// Also run again by a live page, over what it has put in.
window.start = () => {
  'use strict';
  const all = (what, from = document) => [...from.querySelectorAll(what)];

  // The legend: a click shows or hides curves, a pointer or the focus on a key singles them out.
  const keys = all('.legend .key');
  const beside = (button) => all('.key', button.parentElement);
  const curves = (group) => all(`.charts svg [data-g="${group}"]`);
  const show = (key, on) => {
    key.setAttribute('aria-pressed', on);
    for (const curve of curves(key.dataset.g)) curve.classList.toggle('off', !on);
  };
  const single = (key, on) => {
    document.body.classList.toggle('lit', on && key.getAttribute('aria-pressed') === 'true');
    for (const curve of curves(key.dataset.g)) curve.classList.toggle('hot', on);
  };
  for (const key of keys) {
    key.addEventListener('click', () => {
      show(key, key.getAttribute('aria-pressed') !== 'true');
      single(key, false);
    });
    for (const [event, on] of [['mouseenter', true], ['mouseleave', false], ['blur', false]])
      key.addEventListener(event, () => single(key, on));
    key.addEventListener('focus', () => { if (key.matches(':focus-visible')) single(key, true); });
  }
  for (const [name, on] of [['.all', true], ['.none', false]]) {
    for (const button of all('.legend ' + name)) {
      button.hidden = beside(button).length < 3;
      button.addEventListener('click', () => beside(button).forEach((key) => show(key, on)));
    }
  }

  // Tables: a click on a heading sorts, another one turns the order around. What is missing stays last.
  const number = (text) => (text.trim() === '' ? NaN : Number(text));
  for (const table of all('.sortable')) {
    const heads = all('th', table.tHead), body = table.tBodies[0];
    heads.forEach((head, column) => head.firstChild.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const rows = [...body.rows].map((row) => ({row, text: value(row), number: number(value(row))}));
      rows.sort((a, b) => {
        const gaps = (a.text === '' || a.text === '–') - (b.text === '' || b.text === '–');
        if (gaps) return gaps;
        const order = isNaN(a.number) || isNaN(b.number)
          ? a.text.localeCompare(b.text, 'en', {numeric: true}) : a.number - b.number;
        return up ? order : -order;
      });
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      body.append(...rows.map((entry) => entry.row));
    }));
  }

  // Each chart's own data, cut from those of all charts of its kind: its columns, and its run's rows.
  const cells = (line) =>
    [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((match) => match[1]);
  for (const link of all('.csv.part')) {
    const {figures, run} = link.dataset;
    link.download = [figures, run].join(' ').trim().replace(/[ \/]/g, '-') + '.csv';
    const fill = () => {
      if (link.href.startsWith('data:')) return;
      const whole = document.querySelector(link.getAttribute('href') + ' a');
      const lines = decodeURIComponent(whole.href.slice(whole.href.indexOf(',') + 1)).trimEnd().split('\n');
      const wanted = figures.split(' ');
      const keep = cells(lines[0]).map((name, i) => i < 5 || wanted.includes(name));
      const own = (line, i) => run === undefined || i === 0 ||
        cells(line)[0].replace(/^"|"$/g, '').replace(/""/g, '"') === run;
      const text = lines.filter(own).map((line) => cells(line).filter((cell, i) => keep[i]).join(',')).join('\n') + '\n';
      link.href = 'data:text/csv;charset=utf-8,' + encodeURIComponent(text);
    };
    for (const event of ['pointerenter', 'focus', 'click']) link.addEventListener(event, fill);
  }
};
start();

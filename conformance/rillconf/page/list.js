// SPDX-License-Identifier: MIT
// The overview: the matrix of testees and backends, the filter, the list of cases.
const filter = { words: [], verdicts: new Set(), testee: null, backend: null };
let listed = [];

function counts(testee, backend) {
  const found = new Map();
  for (const item of report.cases) {
    const cell = cellOf(item, testee, backend);
    if (cell) {
      found.set(cell.verdict, (found.get(cell.verdict) || 0) + 1);
    }
  }
  return found;
}

function bar(found) {
  const bars = WORST.filter((name) => found.get(name)).reverse().map((name) =>
    make('span', { class: 'v-' + name, style: 'flex-grow:' + found.get(name) }));
  return make('span', { class: 'bar', 'aria-hidden': 'true' }, bars);
}

function matrixCell(testee, backend) {
  const found = counts(testee, backend);
  const words = WORST.filter((name) => found.get(name)).map((name) => found.get(name) + ' ' + name).join(', ');
  const bad = [...found].filter(([name]) => !isGood(name)).reduce((sum, [, count]) => sum + count, 0);
  const ran = [...found].filter(([name]) => name !== 'SKIP').reduce((sum, [, count]) => sum + count, 0);
  const button = make('button', { type: 'button', title: words, 'aria-label': testeeName(testee) + ' on ' + report.backends[backend] + ': ' + words },
    make('span', { class: 'numbers' }, make('b', {}, String(ran)),
      found.get('KNOWN') ? make('span', { class: 'known' }, '≈' + found.get('KNOWN')) : null,
      bad ? make('span', { class: 'bad' }, '≠' + bad) : null), bar(found));
  button.addEventListener('click', () => {
    filter.testee = testee;
    filter.backend = backend;
    showFilter();
    byId('cases-title').scrollIntoView();
  });
  return make('td', {}, button);
}

function drawMatrix() {
  const head = make('tr', {}, make('th', { scope: 'col' }, 'testee'),
    report.backends.map((name) => make('th', { scope: 'col' }, name)));
  const rows = report.testees.map((testee, index) => make('tr', {}, make('th', { scope: 'row' }, testeeName(index)),
    indices(report.backends).map((backend) => matrixCell(index, backend))));
  byId('matrix').append(
    make('thead', {}, head), make('tbody', {}, rows));
}

function drawAbout() {
  const oracles = report.testees.filter((testee) => testee.oracle).length;
  const summary = report.summary;
  const bad = Object.entries(summary.verdicts).filter(([name]) => !isGood(name)).reduce((sum, [, count]) => sum + count, 0);
  const failed = bad || summary.problems.length;
  const runs = Object.values(summary.verdicts).reduce((sum, count) => sum + count, 0);
  byId('about').append(
    make('strong', { class: failed ? 'verdict-bad' : 'verdict-good' }, failed ? bad + ' unexpected' : 'nothing unexpected'),
    ' in ' + runs.toLocaleString('en') + ' runs of ' + summary.cases.toLocaleString('en') + ' scripts, ' +
    (report.testees.length - oracles) + ' under test beside ' + oracles + (oracles === 1 ? ' CPython, ' : ' CPythons, ') + Math.round(summary.seconds) + ' s');
  byId('problems').append(...summary.problems.map((text) => make('p', { class: 'notice' }, text)));
  if (summary.recorded_only.length && !oracles) {
    byId('problems').append(make('p', { class: 'note' },
      'No CPython ran: what it does is shown as recorded (' + summary.recorded_only.join(', ') + ').'));
  }
}

function chip(verdict) {
  const button = make('button', { type: 'button', class: 'chip v-' + verdict, 'aria-pressed': 'false', 'data-verdict': verdict },
    make('span', { 'aria-hidden': 'true' }, GLYPHS[verdict]), ' ' + verdict + ' ',
    make('b', {}, report.summary.verdicts[verdict].toLocaleString('en')));
  button.addEventListener('click', () => {
    if (!filter.verdicts.delete(verdict)) {
      filter.verdicts.add(verdict);
    }
    showFilter();
  });
  return button;
}

function option(value, text) {
  return make('option', { value: value }, text);
}

function drawFilter() {
  byId('chips').append(...report.verdicts.filter((name) => report.summary.verdicts[name] || isGood(name)).map(chip));
  byId('testee').append(option('', 'all'), ...indices(report.testees).map((index) => option(index, testeeName(index))));
  byId('backend').append(option('', 'all'), ...report.backends.map((name, index) => option(index, name)));
  byId('filter').addEventListener('submit', (event) => event.preventDefault());
  byId('search').addEventListener('input', () => search(byId('search').value));
  for (const name of ['testee', 'backend']) {
    byId(name).addEventListener('change', () => {
      filter[name] = byId(name).value === '' ? null : Number(byId(name).value);
      showFilter();
    });
  }
}

function search(text) {
  filter.words = text.toLowerCase().split(/\s+/).filter(Boolean);
  showFilter();
}

function showFilter() {
  for (const name of ['testee', 'backend']) {
    byId(name).value = filter[name] === null ? '' : String(filter[name]);
  }
  for (const button of byId('chips').children) {
    button.setAttribute('aria-pressed', String(filter.verdicts.has(button.dataset.verdict)));
  }
  drawList();
}

function textOf(item) {
  if (!item.text) {
    item.text = [item.n, ...item.r, ...item.h, ...item.s].join('\n').toLowerCase();
  }
  return item.text;
}

// For each testee its worst verdict on the chosen backends, and the backend that shows it; null where it did not run.
function strip(item) {
  const backends = filter.backend === null ? indices(report.backends) : [filter.backend];
  return indices(report.testees).map((testee) => {
    let worst = null;
    for (const backend of backends) {
      const cell = cellOf(item, testee, backend);
      if (cell && (!worst || WORST.indexOf(cell.verdict) < WORST.indexOf(worst.verdict))) {
        worst = { verdict: cell.verdict, backend: backend, testee: testee };
      }
    }
    return worst;
  });
}

// The cell that a row of the list leads to: the worst of those that the filter lets through, or null.
function place(item) {
  let best = null;
  for (const testee of filter.testee === null ? indices(report.testees) : [filter.testee]) {
    for (const backend of filter.backend === null ? indices(report.backends) : [filter.backend]) {
      const cell = cellOf(item, testee, backend);
      if (cell && (!filter.verdicts.size || filter.verdicts.has(cell.verdict)) &&
          (!best || WORST.indexOf(cell.verdict) < WORST.indexOf(best.verdict))) {
        best = { verdict: cell.verdict, backend: backend };
      }
    }
  }
  return best;
}

function row(item, found) {
  const squares = strip(item).map((worst, testee) => make('span', {
    class: 'square ' + (worst ? 'v-' + worst.verdict : 'v-none'),
    title: testeeName(testee) + ': ' + (worst ? worst.verdict + ' on ' + report.backends[worst.backend] : 'not run'),
  }, worst ? GLYPHS[worst.verdict] : ''));
  return make('li', {}, make('a', { href: addressOf(item, found.backend) },
    make('span', { class: 'name' }, item.n.slice(item.n.indexOf('/') + 1)),
    make('span', { class: 'rules' }, item.r.join(' ')),
    make('span', { class: 'strip', 'aria-hidden': 'true' }, squares),
    make('span', { class: 'hidden-text' }, found.verdict)));
}

function drawList() {
  listed = [];
  const areas = new Map();
  for (const item of report.cases) {
    if (!filter.words.every((word) => textOf(item).includes(word))) {
      continue;
    }
    const found = place(item);
    if (found) {
      const area = item.n.slice(0, item.n.indexOf('/'));
      areas.set(area, (areas.get(area) || []).concat(row(item, found)));
      listed.push(addressOf(item, found.backend));
    }
  }
  byId('cases').replaceChildren(...[...areas].map(([area, rows]) => make('section', {},
    make('h3', {}, area, ' ', make('small', {}, String(rows.length))), make('ul', {}, rows))));
  byId('count').textContent = listed.length + ' of ' + report.cases.length + ' cases; signs from left to right: ' +
    indices(report.testees).map(testeeName).join(', ');
}

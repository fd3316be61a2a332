// SPDX-License-Identifier: MIT
// Addresses (#area/case/backend, #rules, #rules/R-nnn, #coverage, #coverage/VERSION/LINE), keys, the first drawing.
let here = { view: 'list' };

function readAddress() {
  const text = decodeURIComponent(location.hash.slice(1));
  if (text === 'rules' || text.startsWith('rules/')) {
    return { view: 'rules', rule: text.slice('rules/'.length) };
  }
  if (report.coverage.length && (text === 'coverage' || text.startsWith('coverage/'))) {
    return { view: 'coverage', line: text.slice('coverage/'.length) };
  }
  const cut = text.lastIndexOf('/');
  const backend = report.backends.indexOf(text.slice(cut + 1));
  const item = caseByName.get(backend < 0 ? text : text.slice(0, cut));
  if (!item) {
    return { view: 'list' };
  }
  return { view: 'case', item: item, backend: backend < 0 ? firstBackend(item) : backend };
}

// Where an address names none: the first backend on which somebody ran the case.
function firstBackend(item) {
  const ran = (backend) => indices(report.testees).some((testee) => (cellOf(item, testee, backend) || { verdict: 'SKIP' }).verdict !== 'SKIP');
  return Math.max(0, indices(report.backends).findIndex(ran));
}

let listScroll = 0;

function show() {
  const before = here;
  if (before.view === 'list') {
    listScroll = window.scrollY;
  }
  here = readAddress();
  for (const view of ['list', 'case', 'rules', 'coverage']) {
    byId(view).hidden = view !== here.view;
  }
  for (const link of document.querySelectorAll('[data-view]')) {
    link.toggleAttribute('aria-current', link.dataset.view === here.view);
  }
  document.title = (here.view === 'case' ? here.item.n + ': ' : '') + 'rill: conformance report';
  if (here.view === 'case') {
    drawCase(here.item, here.backend);
    if (before.item !== here.item) {
      window.scrollTo(0, 0);
      byId('case-title').focus({ preventScroll: true });
    }
  } else if (here.view === 'rules') {
    showRules();
  } else if (here.view === 'coverage') {
    showCoverage(here.line);
  } else if (before.view !== 'list') {
    window.scrollTo(0, listScroll);
  }
}

function showRules() {
  if (!byId('rules').firstChild) {
    drawRules();
  }
  const rule = here.rule && byId('rule-' + here.rule);
  if (rule) {
    rule.open = true;
    rule.scrollIntoView({ block: 'center' });
    rule.firstChild.focus({ preventScroll: true });
  }
}

function step(offset) {
  const at = here.view === 'case' ? listed.findIndex((address) => address.startsWith('#' + here.item.n + '/')) : -offset < 0 ? -1 : listed.length;
  if (listed[at + offset]) {
    location.hash = listed[at + offset];
  }
}

const KEYS = {
  '/': () => {
    location.hash = '';
    byId('list').hidden = false;
    byId('search').focus();
  },
  j: () => step(1),
  k: () => step(-1),
  d: nextDifference,
  b: () => {
    if (here.view === 'case') {
      location.hash = addressOf(here.item, (here.backend + 1) % report.backends.length);
    }
  },
  Escape: () => {
    location.hash = '';
  },
};

function toggleKeys() {
  const hidden = !byId('keys').hidden;
  byId('keys').hidden = hidden;
  byId('keys-button').setAttribute('aria-expanded', String(!hidden));
}

document.addEventListener('keydown', (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (typing && event.key === 'Escape') {
    event.target.blur();
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
document.querySelector('[data-skip]').addEventListener('click', (event) => {
  event.preventDefault();
  byId(here.view === 'case' ? 'case-title' : 'cases-title').focus();
});
byId('keys-button').addEventListener('click', toggleKeys);
window.addEventListener('hashchange', show);
window.addEventListener('resize', () => {
  const drawing = document.querySelector('.exchange-part');
  if (drawing && here.view === 'case') {
    drawing.redraw();
  }
});

document.querySelector('[data-view=coverage]').hidden = !report.coverage.length;
drawAbout();
drawMatrix();
drawFilter();
drawList();
show();

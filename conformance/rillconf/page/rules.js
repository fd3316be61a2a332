// SPDX-License-Identifier: MIT
// The rules of the specification: which cases show each, which cannot be shown and why, which are open.
function ruleText(rule) {
  const cells = report.rules[rule];
  if (!cells) {
    return make('p', {}, 'not in the specification');
  }
  return make('dl', { class: 'rule-text' }, cells.map(([title, text]) =>
    make('div', {}, make('dt', {}, title), make('dd', {}, prose(text)))));
}

function statusOf(rule) {
  const summary = report.summary;
  return summary.rules_covered.includes(rule) ? 'covered' : summary.rules_na.includes(rule) ? 'not applicable' :
    summary.rules_open.includes(rule) ? 'open' : '';
}

function drawRules() {
  const named = new Map();
  for (const item of report.cases) {
    for (const rule of item.r) {
      named.set(rule, (named.get(rule) || []).concat(item));
    }
  }
  const items = Object.keys(report.rules).filter((rule) => rule.startsWith('R-')).map((rule) => {
    const status = statusOf(rule);
    const links = (named.get(rule) || []).map((item) => make('li', {}, make('a', { href: '#' + item.n }, item.n)));
    return make('details', { id: 'rule-' + rule, class: 'rule' },
      make('summary', {}, make('b', {}, rule), ' ', make('span', { class: 'status s-' + status.split(' ')[0] }, status), ' ',
        make('small', {}, links.length ? links.length + (links.length > 1 ? ' cases' : ' case') : ''),
        ' ', make('span', { class: 'about' }, prose((report.rules[rule][0] || ['', ''])[1]))),
      ruleText(rule), report.not_applicable[rule] ? make('p', {}, report.not_applicable[rule]) : null,
      links.length ? make('ul', {}, links) : null);
  });
  const summary = report.summary;
  byId('rules').replaceChildren(make('h2', {}, 'Rules of the specification'),
    make('p', {}, summary.rules_covered.length + ' covered by this run, ' + summary.rules_na.length + ' not applicable, ' +
      summary.rules_open.length + ' open'), make('div', { class: 'rule-list' }, items));
}

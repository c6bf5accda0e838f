// A status panel for Argo CD: what the newest change of an application waits for, who can unblock it, how long, how likely.
// Argo CD brings React; the data comes through its proxy extension `lynceus`, so nobody signs in twice.
((window) => {
  const { React, extensionsAPI } = window;
  if (!React || !extensionsAPI?.registerStatusPanelExtension) return;
  const element = React.createElement;
  const LOOK_EVERY_MS = 10000;
  const WORDS = {
    idle: 'Not started',
    queued: 'Queued',
    running: 'Running',
    waiting: 'Waiting',
    passed: 'Passed',
    warning: 'Warning',
    failed: 'Failed',
    skipped: 'Skipped',
    superseded: 'Replaced',
    unknown: 'No signal',
  };
  const MARKS = {
    idle: '·',
    queued: '◌',
    running: '◐',
    waiting: '❚❚',
    passed: '✓',
    warning: '!',
    failed: '✕',
    skipped: '–',
    superseded: '↷',
    unknown: '?',
  };

  /** Asks Lynceus through Argo CD, which checks that the reader may see the application. */
  const ask = async (application) => {
    const { name, namespace } = application.metadata;
    const path = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
    const answer = await window.fetch(`/extensions/lynceus/api/v1/find/argocd/${path}`, {
      headers: {
        Accept: 'application/json',
        'Argocd-Application-Name': `${namespace}:${name}`,
        'Argocd-Project-Name': application.spec.project,
      },
    });
    if (answer.status === 404) return { none: true };
    if (!answer.ok) throw new Error(`Lynceus answered ${answer.status}`);
    return answer.json();
  };

  /** What is known, and since when nothing could be had. Looks again only while somebody looks. */
  const useChange = (application) => {
    const [known, setKnown] = React.useState({});
    const { name, namespace } = application.metadata;
    React.useEffect(() => {
      let ended = false;
      const look = async () => {
        if (window.document.hidden) return;
        try {
          const found = await ask(application);
          if (!ended) setKnown(found);
        } catch (error) {
          if (!ended) setKnown((before) => ({ ...before, problem: error.message }));
        }
      };
      look();
      const timer = window.setInterval(look, LOOK_EVERY_MS);
      return () => {
        ended = true;
        window.clearInterval(timer);
      };
    }, [name, namespace]);
    return known;
  };

  const nameOf = (one) => one.group || (one.login ? `@${one.login}` : one.name);

  /** `@lin or payments +2 approves`; `until` where only time helps. */
  const whoText = (unblock) =>
    unblock
      .map(({ who, more, until, does }) => {
        if (who.length === 0) return until ? `goes on by itself at ${until}` : does || '';
        return `${who.map(nameOf).join(' or ')}${more > 0 ? ` +${more}` : ''}${does ? ` ${does}` : ''}`;
      })
      .filter((text) => text !== '')
      .join('; ');

  const whereText = (cells) => cells.map(({ stage, state }) => `${stage} ${WORDS[state] || state}`).join(', ');

  /** The five answers, in their order. */
  const answersOf = (row) =>
    [
      ['Where', whereText(row.cells)],
      ['Waiting for', row.blocker.sentence],
      ['Who', whoText(row.unblock) || 'nobody has to do anything'],
      ['How long', row.eta ? row.eta.text : row.afterwards ? 'until somebody acts' : 'it is over'],
      ['How likely', row.odds ? row.odds.text : row.afterwards?.text],
    ].filter(([, text]) => text !== undefined && text !== '');

  const Answers = ({ row }) =>
    element(
      'dl',
      { style: { margin: 0 } },
      answersOf(row).map(([question, text]) =>
        element(
          'div',
          { key: question, style: { display: 'flex', gap: '0.5em' } },
          element('dt', { style: { minWidth: '6em', fontWeight: 600 } }, question),
          element('dd', { style: { margin: 0 } }, text),
        ),
      ),
    );

  const Panel = ({ application, openFlyout }) => {
    const { row, none, problem } = useChange(application);
    const open = openFlyout && (() => openFlyout());
    const line = row
      ? `${MARKS[row.state] || '?'} ${WORDS[row.state] || row.state}: ${row.blocker.sentence}`
      : none
        ? 'No change of this application yet'
        : problem || 'Looking…';
    return element(
      'div',
      { className: 'application-status-panel__item' },
      element('div', { className: 'application-status-panel__item-header' }, 'CHANGE'),
      element(
        'div',
        { className: 'application-status-panel__item-value', role: 'status' },
        row && open
          ? element('button', { type: 'button', className: 'argo-button argo-button--base-o', onClick: open }, line)
          : line,
      ),
      row && element('div', { className: 'application-status-panel__item-name' }, whoText(row.unblock)),
      row &&
        problem &&
        element('div', { className: 'application-status-panel__item-name' }, `Not refreshed: ${problem}`),
    );
  };

  const Flyout = ({ application }) => {
    const { row, url, none, problem } = useChange(application);
    if (!row) return element('p', null, none ? 'No change of this application yet' : problem || 'Looking…');
    const name = `${row.service} ${row.version || row.commit.text}: ${row.title}`;
    return element(
      'div',
      { style: { padding: '1em' } },
      element('h4', null, name),
      element(Answers, { row }),
      url &&
        /^https?:\/\//.test(url) &&
        element('p', null, element('a', { href: url, target: '_blank', rel: 'noreferrer' }, 'Open in Lynceus')),
      problem && element('p', null, `Not refreshed: ${problem}`),
    );
  };

  extensionsAPI.registerStatusPanelExtension(Panel, 'Change', 'lynceus', Flyout);
})(window);

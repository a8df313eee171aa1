// The pane of one terminal: its screen, the search over it, and the editor that covers it while one is open.
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { EditorPane } from '../editor/index.ts';
import { useApp } from '../state/index.ts';
import { FindBar } from './FindBar.tsx';
import { useTerminalViews } from './terminal-views-context.tsx';
import './terminal.css';

/** `focusWish` rises each time the pane should take the keyboard. */
export function TerminalPane({ terminalId, focusWish }: { terminalId: string; focusWish: number }) {
  const { t } = useTranslation();
  const views = useTerminalViews();
  const info = useApp((store) => store.terminals.find((terminal) => terminal.terminalId === terminalId));
  const editor = useApp((store) => store.editors[terminalId]);
  const noteTerminalUse = useApp((store) => store.noteTerminalUse);
  const [finding, setFinding] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const isOpen = info !== undefined;

  useEffect(() => {
    const view = views.get(terminalId);
    if (!isOpen || view === undefined || host.current === null) return;
    const mounted = view.mount(host.current);
    return () => mounted[Symbol.dispose]();
  }, [views, terminalId, isOpen]);
  useEffect(() => views.onFind(terminalId, () => setFinding(true)), [views, terminalId]);
  const hasEditor = editor !== undefined;
  useEffect(() => {
    if (!hasEditor && focusWish > 0) views.get(terminalId)?.focus();
  }, [views, terminalId, hasEditor, focusWish]);

  if (info === undefined) return null;
  return (
    <section
      className="terminal"
      aria-label={t('terminal.label', { title: info.title })}
      data-testid="terminal"
      data-terminal-id={terminalId}
      data-machine={info.machine}
      onFocus={() => noteTerminalUse(terminalId)}
    >
      <div className="terminal-host" ref={host} inert={hasEditor} />
      {finding && !hasEditor && (
        <FindBar
          onFind={(text, direction) => views.get(terminalId)?.find(text, direction)}
          onClose={() => {
            setFinding(false);
            views.get(terminalId)?.endFind();
          }}
        />
      )}
      {editor !== undefined && <EditorPane key={editor.editorId} editor={editor} />}
    </section>
  );
}

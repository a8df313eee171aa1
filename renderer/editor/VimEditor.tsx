// vim: CodeMirror with the Vim keymap, and vim's last line with messages, mode and position.
import { defaultKeymap, historyKeymap } from '@codemirror/commands';
import { Compartment } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { getCM, vim } from '@replit/codemirror-vim';
import { useEffect, useRef, useState } from 'react';

import type { EditorInfo } from '../../preload/contract.ts';
import { useApp, useStore } from '../state/index.ts';
import { fileContent, makeCodeView, NO_AUTOINDENT, sizeOf } from './code-view.ts';
import { useUnsavedGuard } from './unsaved-guard.ts';
import { connectVim } from './vim-host.ts';

interface Message {
  readonly text: string;
  readonly isError: boolean;
}

export function VimEditor({ editor }: { editor: EditorInfo }) {
  const store = useStore();
  const fontSize = useApp((state) => state.settings.terminalFontSize);
  const parent = useRef<HTMLDivElement>(null);
  const [message, setMessage] = useState<Message>({ text: '', isError: false });
  const [mode, setMode] = useState('');
  const [position, setPosition] = useState('');
  const [modified, setModified] = useState(false);
  useUnsavedGuard(modified);

  useEffect(() => {
    const { saveEditor, closeEditor } = store.getState();
    const numbers = new Compartment();
    const indent = new Compartment();
    const { editorId } = editor;
    const fileName = shownName(editor.path);
    const say = (text: string, isError = false): void => setMessage({ text, isError });

    const view = makeCodeView(parent.current!, editor, [
      vim(),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      numbers.of([]),
      indent.of(NO_AUTOINDENT),
      EditorView.updateListener.of((update) => {
        setPosition(positionOf(update.view));
        if (!update.docChanged) return;
        setModified(!update.state.doc.eq(saved));
        setMessage(NOTHING);
      }),
    ]);
    let saved = view.state.doc;

    connectVim(view, {
      fileName: editor.path,
      readOnly: editor.readOnly,
      isModified: () => !view.state.doc.eq(saved),
      write: async () => {
        const { doc } = view.state;
        const content = fileContent(doc.toString());
        const failure = await saveEditor(editorId, content);
        if (failure !== undefined) {
          say(`"${fileName}" E212: Can't open file for writing: ${failure}`, true);
          return false;
        }
        saved = doc;
        setModified(!view.state.doc.eq(saved));
        const { lines, bytes } = sizeOf(content);
        say(`"${fileName}" ${editor.isNew ? '[New] ' : ''}${lines}L, ${bytes}B written`);
        return true;
      },
      revert: () => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: saved } }),
      quit: (exitCode) => closeEditor(editorId, exitCode),
      say,
      autoindent: (on) => view.dispatch({ effects: indent.reconfigure(on ? [] : NO_AUTOINDENT) }),
      showNumbers: (show) => view.dispatch({ effects: numbers.reconfigure(show ? lineNumbers() : []) }),
    });
    getCM(view)?.on('vim-mode-change', (change: { mode: string; subMode?: string }) => {
      setMode(modeText(change.mode, change.subMode));
      if (change.mode !== 'normal') setMessage(NOTHING);
    });

    const { lines, bytes } = sizeOf(editor.content);
    const facts = editor.isNew ? '[New]' : `${editor.readOnly ? '[readonly] ' : ''}${lines}L, ${bytes}B`;
    say(`"${fileName}" ${facts}`);
    setPosition(positionOf(view));
    view.focus();
    return () => view.destroy();
  }, [editor, store]);

  return (
    <>
      <div className="editor-text" ref={parent} style={{ fontSize }} />
      <div className="vim-line" style={{ fontSize }} data-testid="vim-line">
        <span className={message.isError ? 'vim-error' : undefined} role="status">
          {message.text === '' ? mode : message.text}
        </span>
        <span>{position}</span>
      </div>
    </>
  );
}

const NOTHING: Message = { text: '', isError: false };

function modeText(mode: string, subMode: string | undefined): string {
  if (mode === 'normal') return '';
  const name =
    subMode === 'linewise' ? 'VISUAL LINE' : subMode === 'blockwise' ? 'VISUAL BLOCK' : mode.toUpperCase();
  return `-- ${name} --`;
}

/** As vim's ruler: line, column, and which part of the text is seen. */
function positionOf(view: EditorView): string {
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  const column = line.length === 0 ? '0-1' : String(head - line.from + 1);
  const { scrollTop, scrollHeight, clientHeight } = view.scrollDOM;
  const below = scrollHeight - clientHeight;
  const seen =
    below <= 1
      ? 'All'
      : scrollTop <= 1
        ? 'Top'
        : scrollTop >= below - 1
          ? 'Bot'
          : `${Math.round((100 * scrollTop) / below)}%`;
  return `${line.number},${column}`.padEnd(14) + seen;
}

/** vim names a file as it was asked for; the engine gives the whole path, so the folder is left out of the message. */
function shownName(path: string): string {
  return path.split('/').at(-1) ?? path;
}

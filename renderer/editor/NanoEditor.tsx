// nano: a title line, the text, one line for messages and questions, and the keys at the bottom.
import { defaultKeymap, deleteLine, historyKeymap } from '@codemirror/commands';
import { openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { Prec } from '@codemirror/state';
import { EditorView, keymap, type Command } from '@codemirror/view';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';

import type { EditorInfo } from '../../preload/contract.ts';
import { useApp, useStore } from '../state/index.ts';
import { fileContent, makeCodeView, NO_AUTOINDENT, sizeOf } from './code-view.ts';
import { useUnsavedGuard } from './unsaved-guard.ts';

/** What the line above the keys asks, if anything. */
type Question = 'file-name' | 'save-modified' | undefined;

export function NanoEditor({ editor }: { editor: EditorInfo }) {
  const { t } = useTranslation();
  const store = useStore();
  const fontSize = useApp((state) => state.settings.terminalFontSize);
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const saved = useRef('');
  /** The file name was asked for on the way out. */
  const leaving = useRef(false);
  const [question, setQuestion] = useState<Question>();
  const [message, setMessage] = useState('');
  const [modified, setModified] = useState(false);
  useUnsavedGuard(modified);

  const text = (): string => view.current?.state.doc.toString() ?? '';
  const leave = (): void => store.getState().closeEditor(editor.editorId, 0);
  const ask = (next: Question): void => {
    setQuestion(next);
    if (next === undefined) view.current?.focus();
  };
  const write = async (): Promise<void> => {
    const now = text();
    const content = fileContent(now);
    const failure = await store.getState().saveEditor(editor.editorId, content);
    if (failure !== undefined) {
      leaving.current = false;
      setMessage(t('editor.failed', { message: failure }));
      return ask(undefined);
    }
    saved.current = now;
    setModified(text() !== now);
    setMessage(t('editor.nanoWrote', { lines: sizeOf(content).lines }));
    if (leaving.current) leave();
    else ask(undefined);
  };
  const actions = {
    writeOut: () => {
      if (editor.readOnly) return setMessage(t('editor.nanoReadOnly'));
      leaving.current = false;
      ask('file-name');
    },
    exit: () => (text() === saved.current ? leave() : ask('save-modified')),
    find: () => void (view.current !== undefined && openSearchPanel(view.current)),
    cut: () => void (view.current !== undefined && cutLine(view.current)),
    paste: () => void (view.current !== undefined && pasteCut(view.current)),
    yes: () => {
      leaving.current = true;
      ask('file-name');
    },
    no: leave,
    cancel: () => ask(undefined),
    confirm: () => void write(),
  };
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });

  useEffect(() => {
    const run =
      (action: keyof typeof actions): Command =>
      () => {
        latest.current[action]();
        return true;
      };
    const made = makeCodeView(parent.current!, editor, [
      Prec.highest(
        keymap.of([
          { key: 'Ctrl-o', run: run('writeOut'), preventDefault: true },
          { key: 'Ctrl-s', run: run('confirm'), preventDefault: true },
          { key: 'Ctrl-x', run: run('exit'), preventDefault: true },
          { key: 'Ctrl-k', run: run('cut') },
          { key: 'Ctrl-u', run: run('paste'), preventDefault: true },
          { key: 'Ctrl-w', run: run('find'), preventDefault: true },
        ]),
      ),
      search(),
      NO_AUTOINDENT,
      keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) setModified(update.state.doc.toString() !== saved.current);
      }),
    ]);
    view.current = made;
    saved.current = made.state.doc.toString();
    made.focus();
    return () => made.destroy();
  }, [editor]);

  const opening = editor.isNew
    ? t('editor.newFile')
    : t('editor.nanoRead', { lines: sizeOf(editor.content).lines });
  return (
    <>
      <div className="nano-title" style={{ fontSize }}>
        <span>{t('editor.nanoTitle')}</span>
        <span>{editor.path}</span>
        <span>{modified ? t('editor.modified') : ''}</span>
      </div>
      <div className="editor-text" ref={parent} style={{ fontSize }} />
      {question === undefined ? (
        <p className="nano-message" style={{ fontSize }} role="status">
          <span>{message === '' ? opening : message}</span>
        </p>
      ) : (
        <NanoQuestion question={question} path={editor.path} actions={actions} fontSize={fontSize} />
      )}
      {question === undefined && (
        <div className="nano-keys">
          <Key keys="^O" label={t('editor.nanoWriteOut')} onPress={actions.writeOut} />
          <Key keys="^W" label={t('editor.nanoFind')} onPress={actions.find} />
          <Key keys="^K" label={t('editor.nanoCut')} onPress={actions.cut} />
          <Key keys="^U" label={t('editor.nanoPaste')} onPress={actions.paste} />
          <Key keys="^X" label={t('editor.nanoExit')} onPress={actions.exit} />
        </div>
      )}
    </>
  );
}

interface QuestionActions {
  readonly yes: () => void;
  readonly no: () => void;
  readonly cancel: () => void;
  readonly confirm: () => void;
}

function NanoQuestion(props: {
  question: NonNullable<Question>;
  path: string;
  actions: QuestionActions;
  fontSize: number;
}) {
  const { t } = useTranslation();
  const { question, actions } = props;
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    line.current?.focus();
  }, [question]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const key = event.key.toLowerCase();
    const cancels = key === 'escape' || (event.ctrlKey && key === 'c');
    if (cancels) actions.cancel();
    else if (question === 'file-name' && key === 'enter') actions.confirm();
    else if (question === 'save-modified' && !event.ctrlKey && key === 'y') actions.yes();
    else if (question === 'save-modified' && !event.ctrlKey && key === 'n') actions.no();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <p
        className="nano-question"
        style={{ fontSize: props.fontSize }}
        ref={line}
        tabIndex={0}
        role="alert"
        data-testid="nano-question"
        onKeyDown={onKeyDown}
      >
        {question === 'file-name'
          ? t('editor.nanoWrite', { path: props.path })
          : t('editor.nanoSaveModified')}
      </p>
      <div className="nano-keys">
        {question === 'file-name' ? (
          <Key keys="⏎" label={t('editor.nanoWriteOut')} onPress={actions.confirm} />
        ) : (
          <>
            <Key keys="Y" label={t('editor.nanoYes')} onPress={actions.yes} />
            <Key keys="N" label={t('editor.nanoNo')} onPress={actions.no} />
          </>
        )}
        <Key keys="^C" label={t('editor.nanoCancel')} onPress={actions.cancel} />
      </div>
    </>
  );
}

function Key({ keys, label, onPress }: { keys: string; label: string; onPress: () => void }) {
  return (
    <button onClick={onPress}>
      <kbd>{keys}</kbd> {label}
    </button>
  );
}

/** nano's cut buffer; lines cut one after the other gather in it. */
let cutBuffer = '';
let cutAt: { view: EditorView; version: unknown } | undefined;

function cutLine(view: EditorView): void {
  const { doc, selection } = view.state;
  const line = doc.lineAt(selection.main.head);
  const follows = cutAt?.view === view && cutAt.version === doc;
  cutBuffer = `${follows ? cutBuffer : ''}${line.text}\n`;
  deleteLine(view);
  cutAt = { view, version: view.state.doc };
}

function pasteCut(view: EditorView): void {
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  view.dispatch({
    changes: { from: line.from, insert: cutBuffer },
    selection: { anchor: line.from + cutBuffer.length },
  });
}

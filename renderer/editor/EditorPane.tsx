// Covers a terminal with the editor that its program asked for.
import { useTranslation } from 'react-i18next';

import type { EditorInfo } from '../../preload/contract.ts';
import { NanoEditor } from './NanoEditor.tsx';
import { VimEditor } from './VimEditor.tsx';
import './editor.css';

export function EditorPane({ editor }: { editor: EditorInfo }) {
  const { t } = useTranslation();
  const Editor = editor.editor === 'nano' ? NanoEditor : VimEditor;
  return (
    <section
      className={`editor editor-${editor.editor}`}
      aria-label={t('editor.label', { path: editor.path })}
      data-testid="editor"
      data-editor-id={editor.editorId}
      data-editor={editor.editor}
      data-path={editor.path}
    >
      <Editor editor={editor} />
    </section>
  );
}

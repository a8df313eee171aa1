// CodeMirror as both editors use it: YAML in colours, our theme, and the file's text with its last newline put aside.
import { history } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, indentService, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

import type { EditorInfo } from '../../preload/contract.ts';

/** The colours are custom properties, so the editor follows the theme by itself. */
const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--code-key)' },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: [tags.keyword, tags.operator, tags.meta, tags.typeName], color: 'var(--code-keyword)' },
  { tag: [tags.punctuation, tags.separator], color: 'var(--ink-soft)' },
]);

const LOOK = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--terminal-ground)', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.4' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '6px 0' },
  '.cm-line': { padding: '0 10px' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ink-faint)', border: '0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '&:not(.cm-focused) .cm-fat-cursor': {
    outline: '1px solid var(--accent) !important',
    background: 'none !important',
  },
  '&.cm-focused .cm-fat-cursor': {
    background: 'var(--accent) !important',
    color: 'var(--on-accent) !important',
  },
  '.cm-panels': { backgroundColor: 'var(--surface)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-vim-panel, .cm-vim-panel input': {
    fontFamily: 'var(--mono)',
    fontSize: 'inherit',
    color: 'var(--ink)',
  },
});

/** A new line begins at the left edge, as in vim and nano before anybody sets them up otherwise. */
export const NO_AUTOINDENT: Extension = indentService.of(() => 0);

export function makeCodeView(parent: HTMLElement, editor: EditorInfo, extensions: Extension): EditorView {
  const isYaml = /\.ya?ml$/i.test(editor.path) || looksLikeYaml(editor.content);
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: editor.content.replace(/\n$/, ''),
      extensions: [
        extensions,
        history(),
        drawSelection({ cursorBlinkRate: 0 }),
        EditorState.tabSize.of(8),
        indentUnit.of('  '),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          'aria-label': editor.path,
          'data-testid': 'editor-content',
          spellcheck: 'false',
          autocapitalize: 'off',
        }),
        isYaml ? [yaml(), syntaxHighlighting(HIGHLIGHT)] : [],
        LOOK,
      ],
    }),
  });
}

/** What the file holds when it is written: vim and nano both end the last line. */
export function fileContent(text: string): string {
  return text === '' ? '' : `${text}\n`;
}

/** Lines and bytes, as vim counts them. */
export function sizeOf(content: string): { lines: number; bytes: number } {
  const lines = content === '' ? 0 : content.replace(/\n$/, '').split('\n').length;
  return { lines, bytes: new TextEncoder().encode(content).length };
}

function looksLikeYaml(content: string): boolean {
  return /^(?:#.*\n)*(?:apiVersion|kind):/.test(content);
}

// The real editor behind vim and nano: CodeMirror over the terminal that asked, and gone when it is closed.
export { EditorPane } from './EditorPane.tsx';

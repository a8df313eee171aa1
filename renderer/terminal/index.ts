// Terminals: xterm screens that outlive their panes, the panes, and typing on the person's behalf.
// What runs in them is the engine's; an editor that covers one lives in editor/.
export { offerTerminalProbe } from './terminal-probe.ts';
export { TerminalPane } from './TerminalPane.tsx';
export { TerminalViewsProvider } from './terminal-views-context.tsx';
export { TerminalViews } from './terminal-views.ts';
export { writeFileCommand } from './type-text.ts';

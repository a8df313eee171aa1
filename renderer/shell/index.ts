// The frame around everything: top bar, messages, the bar that says the connection is lost.
export { ConnectionBar } from './ConnectionBar.tsx';
export { Notices } from './Notices.tsx';
export { TopBar } from './TopBar.tsx';

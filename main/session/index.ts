// What a screen or a command can ask for: one workspace opened, with cluster, terminals, lab and clock, and the host's doors.
// Host-neutral: the desktop, the browser host and the command line are three doors to it.
export { labsFolder, packageVersion } from './checkout.ts';
export { defaultDataFolder, workspaceIn } from './data-folder.ts';
export { eventNames, isCallName } from './names.ts';
export { openApp, type App } from './app.ts';
export { CHANNEL, openControlDoor, readControlAddress, type ServerMessage } from './loopback/control-door.ts';
export { openHostDoors } from './loopback/host-doors.ts';
export { contentSecurityPolicy, Pages } from './pages.ts';
export { nodeHost } from './node-host.ts';
export { Session } from './session.ts';
export { SessionError } from './session-error.ts';

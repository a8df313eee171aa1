// The service manager of a machine and its journal: unit files read from its disk, and the processes they ask for.
// Commands (systemctl, journalctl) reach both through their sockets; this room prints nothing.
export { baseUnitFiles } from './base-units.ts';
export { parseCalendar } from './calendar.ts';
export { exitStatusName } from './launcher.ts';
export { journalSocket, type Journal, type JournalEntry, type JournalQuery } from './journal.ts';
export { Journald } from './journald.ts';
export { makeSystemd, type SystemdManager } from './manager.ts';
export { systemdSocket, UnitError, type Systemd, type UnitDefinition, type UnitStatus } from './systemd.ts';
export { formatRelative, parseTimeSpan } from './time-span.ts';
export { unitName } from './unit-file.ts';

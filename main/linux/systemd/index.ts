// Services of a machine: systemd's units and journald's log. systemctl(1) and journalctl(1) are commands elsewhere
// that speak to these sockets.
export { systemdSocket, UnitError, type Systemd, type UnitDefinition, type UnitStatus } from './systemd.ts';
export { journalSocket, type Journal, type JournalEntry, type JournalQuery } from './journal.ts';
export { Journald } from './journald.ts';
export { makeSystemd, type SystemdManager } from './manager.ts';

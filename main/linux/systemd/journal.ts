// What journald offers: a structured log, by unit, that can be searched and followed.
import { serviceSocket } from '../kernel/index.ts';

export interface JournalEntry {
  /** Counts entries; a cursor to go on from. */
  readonly sequence: number;
  readonly timeMs: number;
  /** syslog(3) severity: 0 emergency … 3 error, 4 warning, 6 information, 7 debug. */
  readonly priority: number;
  /** SYSLOG_IDENTIFIER: what stands before the colon, such as `kubelet`, `systemd`, `kernel`. */
  readonly identifier: string;
  readonly pid: number | undefined;
  /** _SYSTEMD_UNIT. */
  readonly unit: string | undefined;
  readonly message: string;
  readonly hostname: string;
  /** What happened, for the explanations of `journalctl -x`. */
  readonly catalog?: CatalogEvent;
  /** The job that it belongs to. */
  readonly job?: number;
  /** `exit-code` and the like, where a unit failed. */
  readonly result?: string;
}

/** The messages of systemd that its catalogue explains. */
export type CatalogEvent =
  | 'starting'
  | 'started'
  | 'start-failed'
  | 'stopping'
  | 'stopped'
  | 'deactivated'
  | 'unit-failed'
  | 'process-exited'
  | 'restarting'
  | 'reloading'
  | 'reloaded';

export interface JournalQuery {
  /** Entries of the unit itself and of systemd about it. Names may leave `.service` out. */
  readonly units?: readonly string[];
  readonly identifier?: string;
  /** The kernel's messages only (`journalctl -k`). */
  readonly kernel?: boolean;
  /** This priority and more urgent. */
  readonly priorityMax?: number;
  /** This priority and less urgent. */
  readonly priorityMin?: number;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly afterSequence?: number;
  /** The last so many. */
  readonly lines?: number;
  /** A regular expression on the message. */
  readonly grep?: RegExp;
}

export interface Journal {
  write(entry: Omit<JournalEntry, 'sequence' | 'timeMs' | 'hostname'>): void;
  /** Oldest first. */
  query(query?: JournalQuery): JournalEntry[];
  /** Calls back for every new entry that matches. */
  follow(query: JournalQuery, listener: (entry: JournalEntry) => void): Disposable;
  /** Of the newest entry. */
  readonly lastSequence: number;
  /** When this boot began. */
  readonly bootMs: number;
}

/** /run/systemd/journal/socket */
export const journalSocket = serviceSocket<Journal>('/run/systemd/journal/socket');

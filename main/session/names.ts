// The names of the contract's calls and events as values, for doors that carry them over a wire.
import type { CallName, EventName } from '../../preload/contract.ts';
import { callArguments } from './arguments.ts';

/** Every event that a screen can listen to. */
export const eventNames = Object.keys({
  'cluster.changed': 0,
  'cluster.topology': 0,
  'clock.changed': 0,
  'terminal.output': 0,
  'terminal.closed': 0,
  'editor.opened': 0,
  'editor.closed': 0,
  'lab.changed': 0,
  notice: 0,
} satisfies Record<EventName, 0>) as EventName[];

/** True for the name of a call of the contract. */
export function isCallName(name: unknown): name is CallName {
  return typeof name === 'string' && Object.hasOwn(callArguments, name);
}

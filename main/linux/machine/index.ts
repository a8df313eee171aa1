// A virtual Linux machine: a kernel over a saved disk with a distribution's files, its services, and logins.
// Which programs it has, and which services, is decided by who makes it.
export { makeMachine, type Machine, type MachineOptions } from './machine.ts';

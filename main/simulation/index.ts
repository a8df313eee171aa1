// The virtual world's time and chance: one clock, one random source, one order of events.
// Nothing here knows what the events mean; the host's time and randomness enter only through HostLoop and a seed.
export { disposable, durationMs, every, rfc3339, rfc3339Micro, type Clock, type Duration } from './clock.ts';
export { makeRandom, NAME_ALPHABET, type Random } from './random.ts';
export { Simulation, type HostLoop, type Input } from './simulation.ts';

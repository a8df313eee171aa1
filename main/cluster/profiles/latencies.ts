// How long things take where a profile doesn't say otherwise: small, but as in life.
import type { Latencies } from '../profile.ts';

export const LIFELIKE: Latencies = {
  imagePullBaseMs: 400,
  imagePullPerMiBMs: 15,
  containerStartMs: 120,
  sandboxStartMs: 250,
  linkDelayMs: 0.1,
};

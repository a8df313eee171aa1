// The Kubernetes version that a server claims to be.
import { minorOf } from '../api/api-versions.ts';

/** A version as `/version` tells it. */
export interface VersionProfile {
  readonly major: string;
  readonly minor: string;
  /** With a leading `v`, such as `v1.36.2`. */
  readonly gitVersion: string;
}

/** What the schemas are of. */
export const CURRENT_VERSION: VersionProfile = Object.freeze({
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.2',
});

/** The profile of a version such as `v1.19.16`. Throws RangeError for what isn't one of Kubernetes 1. */
export function versionProfile(gitVersion: string): VersionProfile {
  return Object.freeze({ major: '1', minor: String(minorOf(gitVersion)), gitVersion });
}

/** First release that tells which others it emulates and gets on with (KEP-4330). */
const EMULATES_SINCE = 33;

/** The compilers of releases that Drydock has a profile of, as published. */
const GO_VERSIONS: Readonly<Record<string, string>> = {
  '15': 'go1.12.17',
  '19': 'go1.15.15',
  '23': 'go1.19.6',
  '28': 'go1.20.8',
};

/** The body of `/version`. Differs: build facts are Drydock's own. */
export function versionInfo({ major, minor, gitVersion }: VersionProfile): Record<string, string> {
  return {
    major,
    minor,
    ...(Number(minor) < EMULATES_SINCE
      ? {}
      : {
          emulationMajor: major,
          emulationMinor: minor,
          minCompatibilityMajor: major,
          minCompatibilityMinor: String(Number(minor) - 1),
        }),
    gitVersion,
    gitCommit: 'drydock',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: GO_VERSIONS[minor] ?? 'go1.26.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

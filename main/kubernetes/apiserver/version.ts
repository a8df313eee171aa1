// The Kubernetes version that a server claims to be.

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

/** The body of `/version`. Differs: build facts are Drydock's own. */
export function versionInfo({ major, minor, gitVersion }: VersionProfile): Record<string, string> {
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: 'drydock',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'go1.26.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

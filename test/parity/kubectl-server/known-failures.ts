// Scenarios that don't pass yet, by title, each with the reason; the aim is none.
export const knownFailures: ReadonlyMap<string, string> = new Map([]);

// Lines on which the two differ, each with its reason. A line here that has come to agree fails its test.

export const EXCEPTIONS: Readonly<Record<string, string>> = {};

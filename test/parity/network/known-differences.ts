// Transcripts that differ, with the reason. The list may only get shorter.
export const KNOWN: Readonly<Record<string, string>> = {};

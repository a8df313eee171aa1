// Texts as nginx sees them: bytes. A string here holds one byte per character, from the socket to the log.

/** UTF-8 text as bytes. */
export function toBytes(text: string): string {
  // eslint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Bytes as the text they stand for in UTF-8, such as a file's name. */
export function toText(bytes: string): string {
  // eslint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A body made of such a string. */
export function toBody(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1');
}

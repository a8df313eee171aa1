// How channels share one WebSocket: the first byte (or digit) of each message names its channel (apimachinery httpstream/wsstream).

/** How a message names its channel. */
export interface ChannelWire {
  encode(channel: number, bytes: Uint8Array): Uint8Array | string;
  /** Channel -1 for a message that names none. */
  decode(message: Uint8Array): { readonly channel: number; readonly payload: Uint8Array };
}

/** A byte, then the bytes. */
const BINARY: ChannelWire = {
  encode: (channel, bytes) => Buffer.concat([Uint8Array.of(channel), bytes]),
  decode: (message) => ({ channel: message[0] ?? -1, payload: message.subarray(1) }),
};

/** A digit, then base64, as text. */
const BASE64: ChannelWire = {
  encode: (channel, bytes) => `${channel}${Buffer.from(bytes).toString('base64')}`,
  decode(message) {
    const text = Buffer.from(message).toString('latin1');
    return {
      channel: /^\d/.test(text) ? Number(text[0]) : -1,
      payload: Buffer.from(text.slice(1), 'base64'),
    };
  },
};

/** The wire of a subprotocol such as `v4.base64.channel.k8s.io`. */
export function wireOf(protocol: string | undefined): ChannelWire {
  return protocol?.includes('base64') === true ? BASE64 : BINARY;
}

// Vectors of RFC 7541, appendix C.
import { expect, test } from 'vitest';
import { encodeHeaders, HpackDecoder, CompressionError } from '../../../../main/network/http2/hpack.ts';
import { decodeHuffman, encodeHuffman } from '../../../../main/network/http2/huffman.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const octets = Uint8Array.from({ length: 256 }, (_, index) => index);

test('the Huffman code is that of the RFC', () => {
  const coded: [string, string][] = [
    ['www.example.com', 'f1e3 c2e5 f23a 6ba0 ab90 f4ff'],
    ['no-cache', 'a8eb 1064 9cbf'],
    ['custom-value', '25a8 49e9 5bb8 e8b4 bf'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
  ];
  for (const [text, code] of coded) {
    expect(Buffer.from(encodeHuffman(Buffer.from(text)))).toEqual(hex(code));
    expect(Buffer.from(decodeHuffman(hex(code))!).toString()).toBe(text);
  }
});

test('every octet survives the code', () => {
  expect(decodeHuffman(encodeHuffman(octets))).toEqual(octets);
});

test('requests with one dynamic table are decoded', () => {
  const decoder = new HpackDecoder();
  expect(decoder.decode(hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))).toEqual([
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ]);
  expect(decoder.decode(hex('8286 84be 5886 a8eb 1064 9cbf')).slice(3)).toEqual([
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ]);
  expect(decoder.decode(hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'))).toEqual([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);
});

test('what is encoded is decoded to the same', () => {
  const headers: [string, string][] = [
    [':method', 'POST'],
    [':path', '/grpc.health.v1.Health/Check'],
    ['te', 'trailers'],
    ['x-long', 'a'.repeat(300)],
  ];
  expect(new HpackDecoder().decode(encodeHeaders(headers))).toEqual(headers);
});

test('a broken block is refused', () => {
  expect(() => new HpackDecoder().decode(hex('ff'))).toThrow(CompressionError);
  expect(() => new HpackDecoder().decode(hex('fe'))).toThrow('no header field 126');
});

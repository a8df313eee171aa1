import { expect, test } from 'vitest';
import { rewriteHtml, rewriteUrl } from '../../../../../main/kubernetes/apiserver/connect/proxy-rewrite.ts';

const PLACE = { prefix: '/proxy', backendHost: '10.244.1.5:80', requestHost: '127.0.0.1:8001' };

test.for([
  ['/', '/proxy/'],
  ['/images/a.png', '/proxy/images/a.png'],
  ['/a/../b/?q=/c#d', '/proxy/b/?q=/c#d'],
  ['http://10.244.1.5:80/here', '/proxy/here'],
  ['http://127.0.0.1:8001/here', '/proxy/here'],
  ['http://example.com/there', 'http://example.com/there'],
  ['beside.html', 'beside.html'],
  ['../above.html', '../above.html'],
  ['#part', '#part'],
  ['?only=query', '?only=query'],
  ['/proxy/already', '/proxy/already'],
  ['mailto:a@example.com', 'mailto:a@example.com'],
  ['', ''],
] as const)('the address %j becomes %j', ([url, expected]) => {
  expect(rewriteUrl(url, PLACE)).toBe(expected);
});

test('links of a page lead through the proxy; what only looks like one stays', () => {
  const page = [
    '<!DOCTYPE html>',
    '<a HREF=/x class="b">x</a> <img src=\'/i.png\' alt="a &amp; b"><br/>',
    '<!-- <a href="/in-a-comment"> -->',
    '<script src="/s.js">if (a < b) document.write("<a href=\'/in-a-script\'>");</script>',
    '<form action="/post"><input disabled></form><p title="/not-a-link">1 < 2 & 3</p>',
  ].join('\n');
  expect(rewriteHtml(page, PLACE)).toBe(
    [
      '<!DOCTYPE html>',
      '<a href="/proxy/x" class="b">x</a> <img src="/proxy/i.png" alt="a &amp; b"><br/>',
      '<!-- <a href="/in-a-comment"> -->',
      '<script src="/proxy/s.js">if (a < b) document.write("<a href=\'/in-a-script\'>");</script>',
      '<form action="/proxy/post"><input disabled=""></form><p title="/not-a-link">1 < 2 & 3</p>',
    ].join('\n'),
  );
});

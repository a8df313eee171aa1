// A lab's Markdown, which may be anybody's.
import { renderToStaticMarkup } from 'react-dom/server';
import { I18nextProvider } from 'react-i18next';
import { expect, test } from 'vitest';

import { Markdown } from '../../../renderer/guide/Markdown.tsx';
import { makeI18n } from '../../../renderer/i18n/index.ts';
import { makeStore, StoreProvider } from '../../../renderer/state/index.ts';
import { makeFakeBridge } from '../../support/fake-bridge.ts';
import { asScreenBridge } from '../screen-bridge.ts';

async function render(text: string): Promise<string> {
  const store = makeStore(asScreenBridge(makeFakeBridge()));
  const i18n = await makeI18n('en');
  return renderToStaticMarkup(
    <I18nextProvider i18n={i18n}>
      <StoreProvider store={store}>
        <Markdown text={text} />
      </StoreProvider>
    </I18nextProvider>,
  );
}

test('HTML in a step is not HTML on the page', async () => {
  const html = await render('Hello <img src=x onerror="alert(1)"> <script>alert(2)</script> <b>bold</b>');
  expect(html).not.toMatch(/<img|<script|<b>|onerror/);
});

test('a link leads nowhere, whatever its scheme', async () => {
  const html = await render('[a](https://example.com) [b](javascript:alert(1)) <https://example.org>');
  expect(html).not.toContain('<a');
  expect(html).not.toContain('javascript:');
  expect(html).toContain('title="https://example.com"');
});

test('an image is its description', async () => {
  const html = await render('![the picture](https://example.com/track.png)');
  expect(html).not.toMatch(/<img|track\.png/);
  expect(html).toContain('the picture');
});

test('a block for a machine offers to be typed, a file to be written, output neither', async () => {
  expect(await render('```bash {machine=master1 run}\nls\n```')).toContain('data-testid="type-for-me"');
  expect(await render('```bash {machine=master1}\nls\n```')).not.toContain('data-testid="type-for-me"');
  expect(await render('```yaml {file=/root/a.yaml machine=master1}\na: 1\n```')).toContain(
    'data-testid="write-file"',
  );
  const output = await render('```{output}\nweb1\n```');
  expect(output).not.toContain('<button');
  expect(output).toContain('web1');
});

test('code is shown as it was written', async () => {
  expect(await render('```bash\necho "<b>" && a\n```')).toContain('echo &quot;&lt;b&gt;&quot; &amp;&amp; a');
});

test('a table is a table', async () => {
  expect(await render('| a | b |\n| - | - |\n| 1 | 2 |')).toContain('<td>1</td>');
});

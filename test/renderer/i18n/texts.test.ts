// The screen's texts: complete in both languages, and nowhere but in their files.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { en } from '../../../renderer/i18n/en.ts';
import { hostLanguage, makeI18n } from '../../../renderer/i18n/index.ts';
import { zh } from '../../../renderer/i18n/zh.ts';

const RENDERER = path.join(import.meta.dirname, '../../../renderer');

function flatten(texts: object, prefix = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[prefix + key, value]] : flatten(value as object, `${prefix}${key}.`),
  );
}

const variables = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name!).sort();

test('both languages have the same texts, none of them empty', () => {
  expect(flatten(zh).map(([key]) => key)).toEqual(flatten(en).map(([key]) => key));
  const empty = [...flatten(en), ...flatten(zh)].filter(([, text]) => text.trim() === '');
  expect(empty).toEqual([]);
});

test('a text names the same values in both languages', () => {
  const named = (texts: object): object =>
    Object.fromEntries(flatten(texts).map(([key, text]) => [key, variables(text)]));
  expect(named(zh)).toEqual(named(en));
});

test('every text is used', () => {
  const code = sources()
    .map(({ text }) => text)
    .join('\n');
  // Keys that are put together from a state, as `guide.${what}Title`.
  const built =
    /^(guide\.(reset|restart)(Title|Text)?|topology\.(picture|table)|shelf\.(beginner|intermediate|advanced))$/;
  const keys = flatten(en).map(([key]) => key);
  expect(keys.filter((key) => !built.test(key) && !code.includes(`'${key}'`))).toEqual([]);
});

test('no Chinese is written in the code', () => {
  const files = sources().filter(({ text }) => /\p{Script=Han}/u.test(text));
  expect(files.map(({ file }) => file)).toEqual([]);
});

test('the language can be switched', async () => {
  const i18n = await makeI18n('en');
  expect(i18n.t('guide.check')).toBe('Check');
  await i18n.changeLanguage('zh');
  expect(i18n.t('guide.points', { points: 3 })).toBe('3 分');
});

test('the first of our languages that the browser wants is taken, English without any', () => {
  expect(hostLanguage(['zh-TW', 'en'])).toBe('zh');
  expect(hostLanguage(['fr', 'en-GB', 'zh'])).toBe('en');
  expect(hostLanguage(['fr'])).toBe('en');
});

function sources(): { file: string; text: string }[] {
  return readdirSync(RENDERER, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/i18n[\\/](zh|en)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(RENDERER, file), 'utf8') }));
}

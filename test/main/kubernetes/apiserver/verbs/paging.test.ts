import { expect, test } from 'vitest';
import { resources } from '../../../../../main/kubernetes/api/index.ts';
import { ask, type Answer } from '../../../../support/ask-json.ts';
import { makeApi, type TestApi } from '../../../../support/make-api.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

interface List {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

const make = (api: TestApi, name: string): Promise<Answer> => ask(api, 'POST', PATH, { metadata: { name } });
const list = async (api: TestApi, query: string): Promise<List> =>
  (await ask(api, 'GET', `${PATH}?${query}`)).body as unknown as List;
const namesOf = ({ items }: List): string[] => items.map(({ metadata }) => metadata.name);

/** Writes so much elsewhere that the server no longer keeps in memory what came before. */
async function forget(api: TestApi): Promise<void> {
  const revision = api.store.revision;
  for (let count = 0; count < 4200; count++)
    await api.client.create(resources.configmaps, { metadata: { name: `z${count}`, namespace: 'default' } });
  api.store.compact(revision + 1);
}

test('pages are of one moment, whatever is written between them', async () => {
  using api = makeApi();
  for (const name of ['a', 'b', 'c', 'd']) await make(api, name);
  const first = await list(api, 'limit=2');
  expect(namesOf(first)).toEqual(['a', 'b']);
  expect(first.metadata.remainingItemCount).toBe(2);
  await make(api, 'bb');
  await ask(api, 'DELETE', `${PATH}/c`);
  const second = await list(api, `limit=2&continue=${first.metadata.continue}`);
  expect(namesOf(second)).toEqual(['c', 'd']);
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(second.metadata.continue).toBeUndefined();
});

test('a page that compaction took is 410, with a token to go on from where it was', async () => {
  using api = makeApi();
  for (const name of ['a', 'b', 'c']) await make(api, name);
  const first = await list(api, 'limit=2');
  await ask(api, 'DELETE', `${PATH}/c`);
  await forget(api);
  const { status, body } = await ask(api, 'GET', `${PATH}?limit=2&continue=${first.metadata.continue}`);
  expect(status).toBe(410);
  expect(body.reason).toBe('Expired');
  expect(body.message).toContain('The provided continue parameter is too old');
  const token = (body['metadata'] as { continue: string }).continue;
  const rest = await list(api, `limit=2&continue=${token}`);
  expect(namesOf(rest)).toEqual(['z0', 'z1']);
  expect(Number(rest.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
});

test('a watch from before compaction is told so', async () => {
  using api = makeApi();
  await make(api, 'a');
  const { metadata } = await list(api, '');
  await forget(api);
  const { status, body } = await ask(
    api,
    'GET',
    `${PATH}?watch=1&resourceVersion=${metadata.resourceVersion}`,
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
});

test('an exact list is of its own moment', async () => {
  using api = makeApi();
  await make(api, 'a');
  const { metadata } = await list(api, '');
  await make(api, 'b');
  const query = `resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=`;
  expect(namesOf(await list(api, `${query}Exact`))).toEqual(['a']);
  expect(namesOf(await list(api, `${query}NotOlderThan`))).toEqual(['a', 'b']);
});

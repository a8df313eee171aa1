// mysql: the entrypoint's demand for a password, logins, and the SQL that there is.
import { expect, test } from 'vitest';
import { makeImageMachine, type ImageMachine } from '../../../support/image-machine.ts';

const ENV = [
  { name: 'MYSQL_ROOT_PASSWORD', value: 'pw' },
  { name: 'MYSQL_DATABASE', value: 'shop' },
];

async function started(): Promise<{
  m: ImageMachine;
  sql: (text: string) => Promise<{ stdout: string; stderr: string }>;
}> {
  const m = makeImageMachine();
  const id = await m.start('mysql:8.0', { env: ENV });
  await m.advance(1);
  expect(m.log(id)).toContain('/usr/sbin/mysqld: ready for connections.');
  return {
    m,
    sql: async (text) => {
      const { stdout, stderr } = await m.exec(id, 'env', 'MYSQL_PWD=pw', 'mysql', 'shop', '-e', text);
      return { stdout, stderr };
    },
  };
}

test('without a password in the environment it tells the choices and ends with 1', async () => {
  const m = makeImageMachine();
  const { stderr, status } = await m.run('mysql:5.7');
  expect(stderr).toContain(
    '[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n',
  );
  expect(status).toBe(1);
});

test('tables are made, filled, asked, changed and dropped', async () => {
  const { sql } = await started();
  expect(
    (
      await sql(
        "create table t (id int primary key auto_increment, name varchar(20) not null, n int); insert into t (name, n) values ('a', 1), ('b', 2), ('c', null)",
      )
    ).stderr,
  ).toBe('');
  expect((await sql('select * from t where n >= 1 order by id desc')).stdout).toBe(
    'id\tname\tn\n2\tb\t2\n1\ta\t1\n',
  );
  expect(
    (await sql("update t set n = n + 10 where name like 'a%'; select n from t where name = 'a'")).stdout,
  ).toBe('n\n11\n');
  expect((await sql('delete from t where n is null; select count(*) from t')).stdout).toBe('count(*)\n2\n');
  expect((await sql('show tables; describe t')).stdout).toContain('id\tint\tNO\tPRI\tNULL\tauto_increment\n');
  expect((await sql('drop table t; select * from t')).stderr).toBe(
    "ERROR 1146 (42S02) at line 2: Table 'shop.t' doesn't exist\n",
  );
});

test.each([
  ['select 1', '1\n1\n'],
  ["select 'x' as y, 2*3+1, upper('q'), null", "y\t2*3+1\tupper('q')\tnull\nx\t7\tQ\tNULL\n"],
  ['select database(), @@port', 'database()\t@@port\nshop\t3306\n'],
])('%s gives a row without a table', async (text, expected) => {
  const { sql } = await started();
  expect((await sql(text)).stdout).toBe(expected);
});

test('SQL that is wrong, or not simulated, says so', async () => {
  const { sql } = await started();
  expect((await sql('selekt 1')).stderr).toContain(
    'ERROR 1064 (42000) at line 1: You have an error in your SQL syntax;',
  );
  expect((await sql('grant all on *.* to x')).stderr).toContain("drydock: GRANT isn't simulated");
});

test('a wrong password is denied, a right one is let in, also over the network and by mysqladmin', async () => {
  const m = makeImageMachine();
  const id = await m.start('mysql:8.0', { env: ENV });
  await m.advance(1);
  expect((await m.exec(id, 'mysql', '-uroot', '-e', 'select 1')).stderr).toBe(
    "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n",
  );
  expect((await m.exec(id, 'mysqladmin', 'ping', '-h', '127.0.0.1', '-ppw')).stdout).toBe(
    'mysqld is alive\n',
  );
  expect((await m.exec(id, 'mysqladmin', 'ping', '-h', '127.0.0.1', '-P', '1', '-ppw')).status).toBe(1);
});

test('data outlives the server where its folder is a volume', async () => {
  const m = makeImageMachine();
  const mounts = [{ containerPath: '/var/lib/mysql', hostPath: '/data' }];
  const first = await m.start('mysql:8.0', { env: ENV, mounts });
  await m.advance(1);
  await m.exec(first, 'mysql', '-ppw', 'shop', '-e', 'create table k (v int); insert into k values (7)');
  await m.settle(m.containerd.stopContainer(first, 10_000));
  const second = await m.start('mysql:8.0', { env: ENV, mounts });
  await m.advance(1);
  expect((await m.exec(second, 'mysql', '-ppw', 'shop', '-e', 'select v from k')).stdout).toBe('v\n7\n');
});

// A little SQL: databases, tables of text and numbers, SELECT of constants and of one table. What isn't simulated says so.

export interface Table {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly isKey: boolean;
    readonly increments: boolean;
    readonly isNullable: boolean;
  }[];
  readonly rows: (string | null)[][];
  nextId: number;
}

export interface Catalog {
  readonly databases: Map<string, Map<string, Table>>;
  /** Told after a table or database has changed; `table` is undefined for the whole database. */
  changed(database: string, table: string | undefined): void;
}

export interface Session {
  database: string | undefined;
  readonly user: string;
  readonly host: string;
  readonly version: string;
  readonly hostname: string;
  readonly connectionId: number;
  readonly nowMs: () => number;
  lastInsertId: number;
}

export type Outcome =
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
    }
  | { readonly kind: 'ok'; readonly affected: number };

/** With the server's number and SQLSTATE. */
export class SqlError extends Error {
  readonly code: number;
  readonly state: string;
  constructor(code: number, state: string, message: string) {
    super(message);
    this.code = code;
    this.state = state;
  }
}

interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'sign' | 'variable' | 'quoted';
  readonly text: string;
  readonly at: number;
}

const SYSTEM = ['information_schema', 'mysql', 'performance_schema', 'sys'];
const OK: Outcome = { kind: 'ok', affected: 0 };

function tokens(sql: string): Token[] {
  const found: Token[] = [];
  const pattern =
    /\s+|--[ \t].*|#.*|\/\*[^]*?\*\/|(@@?[\w.]+)|([A-Za-z_$][\w$]*)|(\d+(?:\.\d+)?)|'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.|"")*)"|`([^`]*)`|(<=>|<=|>=|<>|!=|\|\||&&|[-+*/%(),.;=<>!])/gy;
  while (pattern.lastIndex < sql.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(sql);
    if (match === null) throw syntaxError(sql, at);
    const [, variable, word, number, single, double, quoted, sign] = match;
    const text = single ?? double;
    if (variable !== undefined) found.push({ kind: 'variable', text: variable, at });
    else if (word !== undefined) found.push({ kind: 'word', text: word, at });
    else if (number !== undefined) found.push({ kind: 'number', text: number, at });
    else if (text !== undefined)
      found.push({
        kind: 'text',
        text: text.replaceAll(/\\(.)|''|""/g, (part, letter: string | undefined) =>
          letter === undefined
            ? part.charAt(0)
            : ({ n: '\n', t: '\t', r: '\r', '0': '\0' }[letter] ?? letter),
        ),
        at,
      });
    else if (quoted !== undefined) found.push({ kind: 'quoted', text: quoted, at });
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign, at });
  }
  return found;
}

function syntaxError(sql: string, at: number): SqlError {
  return new SqlError(
    1064,
    '42000',
    `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${sql.slice(at, at + 80)}' at line ${sql.slice(0, at).split('\n').length}`,
  );
}

type Cell = string | null;
type Row = ReadonlyMap<string, Cell>;
type Expression = (row: Row) => Cell;

/** Runs one statement. Throws SqlError. */
export function execute(sql: string, session: Session, catalog: Catalog): Outcome {
  return new Statement(sql, session, catalog).run();
}

class Statement {
  private readonly sql: string;
  private readonly session: Session;
  private readonly catalog: Catalog;
  private readonly tokens: Token[];
  private at = 0;
  private usesColumns = false;

  constructor(sql: string, session: Session, catalog: Catalog) {
    this.sql = sql;
    this.session = session;
    this.catalog = catalog;
    this.tokens = tokens(sql).filter(({ text, kind }) => !(kind === 'sign' && text === ';'));
  }

  run(): Outcome {
    const verb = this.word().toUpperCase();
    const outcome = this.statement(verb);
    if (this.at < this.tokens.length) throw this.error();
    return outcome;
  }

  private statement(verb: string): Outcome {
    switch (verb) {
      case 'SELECT':
        return this.select();
      case 'SHOW':
        return this.show();
      case 'USE':
        return this.use(this.name());
      case 'CREATE':
        return this.create();
      case 'DROP':
        return this.drop();
      case 'INSERT':
        return this.insert();
      case 'UPDATE':
        return this.update();
      case 'DELETE':
        return this.remove();
      case 'TRUNCATE': {
        this.accept('TABLE');
        const { table, database, name } = this.table();
        table.rows.length = 0;
        this.catalog.changed(database, name);
        return OK;
      }
      case 'DESC':
      case 'DESCRIBE':
        return this.describe(this.table().table);
      case 'SET':
      case 'BEGIN':
      case 'COMMIT':
      case 'ROLLBACK':
      case 'START':
      case 'FLUSH':
        if (verb === 'ROLLBACK') throw new SqlError(1235, '42000', "drydock: ROLLBACK isn't simulated");
        this.at = this.tokens.length;
        return OK;
      case 'GRANT':
      case 'REVOKE':
      case 'ALTER':
      case 'LOCK':
      case 'UNLOCK':
      case 'CALL':
      case 'EXPLAIN':
      case 'REPLACE':
      case 'LOAD':
      case 'WITH':
        throw new SqlError(1235, '42000', `drydock: ${verb} isn't simulated`);
      default:
        throw syntaxError(this.sql, 0);
    }
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }
  private error(): SqlError {
    return syntaxError(this.sql, this.peek()?.at ?? this.sql.length);
  }

  private accept(...words: readonly string[]): boolean {
    const fits = words.every((word, index) => {
      const token = this.tokens[this.at + index];
      return (
        token !== undefined &&
        token.kind !== 'text' &&
        token.kind !== 'quoted' &&
        token.text.toUpperCase() === word
      );
    });
    if (fits) this.at += words.length;
    return fits;
  }

  private expect(...words: readonly string[]): void {
    if (!this.accept(...words)) throw this.error();
  }

  private word(): string {
    const token = this.peek();
    if (token?.kind !== 'word') throw this.error();
    this.at++;
    return token.text;
  }

  private name(): string {
    const token = this.peek();
    if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.error();
    this.at++;
    return token.text;
  }

  private currentDatabase(): string {
    if (this.session.database === undefined) throw new SqlError(1046, '3D000', 'No database selected');
    return this.session.database;
  }

  private tablesOf(database: string): Map<string, Table> {
    const tables = this.catalog.databases.get(database);
    if (tables === undefined) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
    return tables;
  }

  private table(): { table: Table; database: string; name: string } {
    const first = this.name();
    const [database, name] = this.accept('.') ? [first, this.name()] : [this.currentDatabase(), first];
    const table = this.tablesOf(database).get(name);
    if (table === undefined) throw new SqlError(1146, '42S02', `Table '${database}.${name}' doesn't exist`);
    return { table, database, name };
  }

  private use(database: string): Outcome {
    if (!SYSTEM.includes(database)) this.tablesOf(database);
    this.session.database = database;
    return OK;
  }

  private show(): Outcome {
    if (this.accept('DATABASES') || this.accept('SCHEMAS'))
      return {
        kind: 'rows',
        columns: ['Database'],
        rows: [...SYSTEM, ...this.catalog.databases.keys()].toSorted().map((name) => [name]),
      };
    if (this.accept('TABLES')) {
      const database = this.accept('FROM') || this.accept('IN') ? this.name() : this.currentDatabase();
      return {
        kind: 'rows',
        columns: [`Tables_in_${database}`],
        rows: Array.from(this.tablesOf(database).keys())
          .toSorted()
          .map((name) => [name]),
      };
    }
    if (this.accept('COLUMNS', 'FROM')) return this.describe(this.table().table);
    if (this.accept('PROCESSLIST'))
      return {
        kind: 'rows',
        columns: ['Id', 'User', 'Host', 'db', 'Command', 'Time', 'State', 'Info'],
        rows: [
          [
            String(this.session.connectionId),
            this.session.user,
            this.session.host,
            this.session.database ?? null,
            'Query',
            '0',
            'init',
            this.sql,
          ],
        ],
      };
    if (this.accept('VARIABLES') || this.accept('GLOBAL', 'VARIABLES')) {
      const all: [string, string][] = [
        ['hostname', this.session.hostname],
        ['port', '3306'],
        ['version', this.session.version],
      ];
      const like = this.accept('LIKE') ? this.tokens[this.at++]?.text : undefined;
      return {
        kind: 'rows',
        columns: ['Variable_name', 'Value'],
        rows: all.filter(([name]) => like === undefined || likePattern(like).test(name)),
      };
    }
    if (this.accept('WARNINGS')) return { kind: 'rows', columns: ['Level', 'Code', 'Message'], rows: [] };
    throw new SqlError(1235, '42000', `drydock: ${this.sql.trim()} isn't simulated`);
  }

  private describe(table: Table): Outcome {
    return {
      kind: 'rows',
      columns: ['Field', 'Type', 'Null', 'Key', 'Default', 'Extra'],
      rows: table.columns.map(({ name, type, isKey, increments, isNullable }) => [
        name,
        type,
        isNullable ? 'YES' : 'NO',
        isKey ? 'PRI' : '',
        null,
        increments ? 'auto_increment' : '',
      ]),
    };
  }

  private create(): Outcome {
    if (this.accept('DATABASE') || this.accept('SCHEMA')) {
      const quiet = this.accept('IF', 'NOT', 'EXISTS');
      const name = this.name();
      this.at = this.tokens.length; // A character set may follow.
      if (this.catalog.databases.has(name) || SYSTEM.includes(name)) {
        if (quiet) return { kind: 'ok', affected: 1 };
        throw new SqlError(1007, 'HY000', `Can't create database '${name}'; database exists`);
      }
      this.catalog.databases.set(name, new Map());
      this.catalog.changed(name, undefined);
      return { kind: 'ok', affected: 1 };
    }
    if (this.accept('USER')) throw new SqlError(1235, '42000', "drydock: CREATE USER isn't simulated");
    this.expect('TABLE');
    const quiet = this.accept('IF', 'NOT', 'EXISTS');
    const first = this.name();
    const [database, name] = this.accept('.') ? [first, this.name()] : [this.currentDatabase(), first];
    const tables = this.tablesOf(database);
    const columns = this.columnDefinitions();
    this.at = this.tokens.length; // ENGINE=InnoDB and the like.
    if (tables.has(name)) {
      if (quiet) return OK;
      throw new SqlError(1050, '42S01', `Table '${name}' already exists`);
    }
    tables.set(name, { columns, rows: [], nextId: 1 });
    this.catalog.changed(database, name);
    return OK;
  }

  private columnDefinitions(): Table['columns'] {
    this.expect('(');
    const columns: {
      name: string;
      type: string;
      isKey: boolean;
      increments: boolean;
      isNullable: boolean;
    }[] = [];
    do {
      if (this.accept('PRIMARY', 'KEY')) {
        this.expect('(');
        const key = this.name();
        for (const column of columns)
          if (column.name === key) {
            column.isKey = true;
            column.isNullable = false;
          }
        this.expect(')');
        continue;
      }
      const name = this.name();
      let type = this.word().toLowerCase();
      if (this.accept('(')) {
        const sizes: string[] = [];
        while (!this.accept(')')) sizes.push(this.tokens[this.at++]?.text ?? '');
        type += `(${sizes.join('')})`;
      }
      const words: string[] = [];
      for (
        let token = this.peek();
        token !== undefined && token.text !== ',' && token.text !== ')';
        token = this.peek()
      ) {
        words.push(token.text.toUpperCase());
        this.at++;
      }
      const text = words.join(' ');
      const isKey = text.includes('PRIMARY KEY');
      columns.push({
        name,
        type,
        isKey,
        increments: text.includes('AUTO_INCREMENT'),
        isNullable: !isKey && !text.includes('NOT NULL'),
      });
    } while (this.accept(','));
    this.expect(')');
    return columns;
  }

  private drop(): Outcome {
    const isDatabase = this.accept('DATABASE') || this.accept('SCHEMA');
    if (!isDatabase) this.expect('TABLE');
    const quiet = this.accept('IF', 'EXISTS');
    const name = this.name();
    if (isDatabase) {
      if (!this.catalog.databases.delete(name) && !quiet)
        throw new SqlError(1008, 'HY000', `Can't drop database '${name}'; database doesn't exist`);
      if (this.session.database === name) this.session.database = undefined;
      this.catalog.changed(name, undefined);
      return OK;
    }
    const database = this.currentDatabase();
    if (!this.tablesOf(database).delete(name) && !quiet)
      throw new SqlError(1051, '42S02', `Unknown table '${database}.${name}'`);
    this.catalog.changed(database, name);
    return OK;
  }

  private insert(): Outcome {
    this.accept('IGNORE');
    this.expect('INTO');
    const { table, database, name } = this.table();
    let columns = table.columns.map((column) => column.name);
    if (this.accept('(')) {
      columns = [];
      do columns.push(this.name());
      while (this.accept(','));
      this.expect(')');
    }
    for (const column of columns)
      if (!table.columns.some((each) => each.name === column))
        throw new SqlError(1054, '42S22', `Unknown column '${column}' in 'field list'`);
    if (!this.accept('VALUES')) this.expect('VALUE');
    let count = 0;
    do {
      this.expect('(');
      const values: Cell[] = [];
      if (!this.accept(')')) {
        do values.push(this.accept('DEFAULT') ? null : this.expression()(new Map()));
        while (this.accept(','));
        this.expect(')');
      }
      if (values.length !== columns.length)
        throw new SqlError(1136, '21S01', `Column count doesn't match value count at row ${count + 1}`);
      this.addRow(table, new Map(columns.map((column, index) => [column, values[index]!])), name);
      count++;
    } while (this.accept(','));
    this.catalog.changed(database, name);
    return { kind: 'ok', affected: count };
  }

  private addRow(table: Table, given: ReadonlyMap<string, Cell>, name: string): void {
    const row = table.columns.map((column) => {
      const value = given.get(column.name) ?? null;
      if (value === null && column.increments) {
        this.session.lastInsertId = table.nextId;
        return String(table.nextId++);
      }
      if (value === null && !column.isNullable)
        throw given.has(column.name)
          ? new SqlError(1048, '23000', `Column '${column.name}' cannot be null`)
          : new SqlError(1364, 'HY000', `Field '${column.name}' doesn't have a default value`);
      if (column.increments && value !== null) table.nextId = Math.max(table.nextId, Number(value) + 1);
      return value;
    });
    const key = table.columns.findIndex(({ isKey }) => isKey);
    if (key >= 0 && table.rows.some((other) => other[key] === row[key]))
      throw new SqlError(1062, '23000', `Duplicate entry '${row[key]}' for key '${name}.PRIMARY'`);
    table.rows.push(row);
  }

  private update(): Outcome {
    const { table, database, name } = this.table();
    this.expect('SET');
    const changes: { index: number; value: Expression }[] = [];
    do {
      const column = this.name();
      const index = table.columns.findIndex((each) => each.name === column);
      if (index < 0) throw new SqlError(1054, '42S22', `Unknown column '${column}' in 'field list'`);
      this.expect('=');
      changes.push({ index, value: this.expression() });
    } while (this.accept(','));
    const where = this.where();
    let affected = 0;
    for (const row of table.rows) {
      const seen = asRow(table, row);
      if (!isTrue(where(seen))) continue;
      for (const { index, value } of changes) row[index] = value(seen);
      affected++;
    }
    this.catalog.changed(database, name);
    return { kind: 'ok', affected };
  }

  private remove(): Outcome {
    this.expect('FROM');
    const { table, database, name } = this.table();
    const where = this.where();
    const kept = table.rows.filter((row) => !isTrue(where(asRow(table, row))));
    const affected = table.rows.length - kept.length;
    table.rows.splice(0, table.rows.length, ...kept);
    this.catalog.changed(database, name);
    return { kind: 'ok', affected };
  }

  private where(): Expression {
    return this.accept('WHERE') ? this.expression() : () => '1';
  }

  private select(): Outcome {
    const isDistinct = this.accept('DISTINCT');
    const items: { title: string; value: Expression | 'all' | 'count' }[] = [];
    do {
      const start = this.peek()?.at ?? 0;
      let value: Expression | 'all' | 'count';
      if (this.accept('*')) value = 'all';
      else if (this.accept('COUNT', '(')) {
        if (!this.accept('*')) this.expression();
        this.expect(')');
        value = 'count';
      } else value = this.expression();
      let title = this.sql
        .slice(start, this.peek()?.at ?? this.sql.length)
        .trim()
        .replace(/[;\s]+$/, '');
      const only = this.tokens[this.at - 1];
      if (only?.kind === 'text' && only.at === start) title = only.text;
      if (this.accept('AS')) title = this.tokens[this.at++]?.text ?? '';
      else if (this.peek()?.kind === 'quoted') title = this.name();
      items.push({ title, value });
    } while (this.accept(','));
    if (!this.accept('FROM') || this.accept('DUAL')) {
      if (this.usesColumns || items.some(({ value }) => value === 'all'))
        throw new SqlError(1054, '42S22', `Unknown column '${items[0]!.title}' in 'field list'`);
      return {
        kind: 'rows',
        columns: items.map(({ title }) => title),
        rows: [items.map(({ value }) => (typeof value === 'function' ? value(new Map()) : '1'))],
      };
    }
    const { table } = this.table();
    const next = this.peek()?.text.toUpperCase();
    if (next === ',' || next === 'JOIN' || next === 'LEFT' || next === 'INNER')
      throw new SqlError(1235, '42000', "drydock: SELECT from more than one table isn't simulated");
    const where = this.where();
    if (this.accept('GROUP')) throw new SqlError(1235, '42000', "drydock: GROUP BY isn't simulated");
    let rows = table.rows.map((row) => asRow(table, row)).filter((row) => isTrue(where(row)));
    if (this.accept('ORDER', 'BY')) {
      do {
        const by = this.expression();
        const sign = this.accept('DESC') ? -1 : (this.accept('ASC'), 1);
        rows = rows.toSorted((a, b) => sign * compare(by(a), by(b)));
      } while (this.accept(','));
    }
    if (this.accept('LIMIT')) {
      const first = Number(this.tokens[this.at++]?.text);
      if (this.accept(',')) rows = rows.slice(first, first + Number(this.tokens[this.at++]?.text));
      else if (this.accept('OFFSET')) {
        const offset = Number(this.tokens[this.at++]?.text);
        rows = rows.slice(offset, offset + first);
      } else rows = rows.slice(0, first);
    }
    const titles = items.flatMap(({ title, value }) =>
      value === 'all' ? table.columns.map(({ name }) => name) : [title],
    );
    if (items.some(({ value }) => value === 'count'))
      return {
        kind: 'rows',
        columns: titles,
        rows: [
          items.map(({ value }) =>
            value === 'count'
              ? String(rows.length)
              : typeof value === 'function' && rows[0] !== undefined
                ? value(rows[0])
                : null,
          ),
        ],
      };
    for (const { value } of items)
      if (typeof value === 'function')
        value(
          asRow(
            table,
            table.columns.map(() => null),
          ),
        );
    const shown = rows.map((row) =>
      items.flatMap(({ value }) =>
        value === 'all' ? Array.from(row.values()) : [(value as Expression)(row)],
      ),
    );
    return {
      kind: 'rows',
      columns: titles,
      rows: isDistinct ? Array.from(new Map(shown.map((row) => [JSON.stringify(row), row])).values()) : shown,
    };
  }

  private expression(): Expression {
    let left = this.conjunction();
    while (this.accept('OR') || this.accept('||')) {
      const [a, b] = [left, this.conjunction()];
      left = (row) => (isTrue(a(row)) || isTrue(b(row)) ? '1' : '0');
    }
    return left;
  }

  private conjunction(): Expression {
    let left = this.negation();
    while (this.accept('AND') || this.accept('&&')) {
      const [a, b] = [left, this.negation()];
      left = (row) => (isTrue(a(row)) && isTrue(b(row)) ? '1' : '0');
    }
    return left;
  }

  private negation(): Expression {
    if (!this.accept('NOT')) return this.comparison();
    const inner = this.negation();
    return (row) => (isTrue(inner(row)) ? '0' : '1');
  }

  private comparison(): Expression {
    const left = this.sum();
    if (this.accept('IS')) {
      const isNot = this.accept('NOT');
      this.expect('NULL');
      return (row) => ((left(row) === null) !== isNot ? '1' : '0');
    }
    const isNot = this.accept('NOT');
    if (this.accept('LIKE')) {
      const right = this.sum();
      return (row) => (likePattern(right(row) ?? '').test(left(row) ?? '') !== isNot ? '1' : '0');
    }
    if (this.accept('IN')) {
      this.expect('(');
      const choices: Expression[] = [];
      do choices.push(this.sum());
      while (this.accept(','));
      this.expect(')');
      return (row) => (choices.some((choice) => compare(choice(row), left(row)) === 0) !== isNot ? '1' : '0');
    }
    const sign = this.peek()?.text ?? '';
    const tests: Readonly<Record<string, (order: number) => boolean>> = {
      '=': (n) => n === 0,
      '<>': (n) => n !== 0,
      '!=': (n) => n !== 0,
      '<': (n) => n < 0,
      '>': (n) => n > 0,
      '<=': (n) => n <= 0,
      '>=': (n) => n >= 0,
    };
    const test = this.peek()?.kind === 'sign' ? tests[sign] : undefined;
    if (test === undefined) return left;
    this.at++;
    const right = this.sum();
    return (row) => {
      const [a, b] = [left(row), right(row)];
      return a === null || b === null ? null : test(compare(a, b)) ? '1' : '0';
    };
  }

  private sum(): Expression {
    return this.chain(['+', '-'], () => this.chain(['*', '/', '%'], () => this.primary()));
  }

  private chain(signs: readonly string[], part: () => Expression): Expression {
    let left = part();
    for (let sign = this.peek(); sign?.kind === 'sign' && signs.includes(sign.text); sign = this.peek()) {
      this.at++;
      const [a, b, operator] = [left, part(), sign.text];
      left = (row) => arithmetic(operator, a(row), b(row));
    }
    return left;
  }

  private primary(): Expression {
    const token = this.peek();
    if (token === undefined) throw this.error();
    this.at++;
    switch (token.kind) {
      case 'number':
      case 'text':
        return () => token.text;
      case 'variable': {
        const value = this.variable(token.text);
        return () => value;
      }
      case 'sign':
        if (token.text === '-') {
          const inner = this.primary();
          return (row) => arithmetic('-', '0', inner(row));
        }
        if (token.text === '(') {
          const inner = this.expression();
          this.expect(')');
          return inner;
        }
        this.at--;
        throw this.error();
      default:
        return this.nameOrCall(token);
    }
  }

  private nameOrCall(token: Token): Expression {
    const upper = token.text.toUpperCase();
    if (token.kind === 'word') {
      if (upper === 'NULL') return () => null;
      if (upper === 'TRUE' || upper === 'FALSE') return () => (upper === 'TRUE' ? '1' : '0');
      if (this.accept('(')) return this.call(upper, token);
    }
    const name = this.accept('.') ? this.name() : token.text;
    this.usesColumns = true;
    return (row) => {
      const value = row.get(name) ?? (row.has(name) ? null : undefined);
      if (value === undefined) throw new SqlError(1054, '42S22', `Unknown column '${name}' in 'field list'`);
      return value;
    };
  }

  private call(name: string, token: Token): Expression {
    const args: Expression[] = [];
    if (!this.accept(')')) {
      do args.push(this.expression());
      while (this.accept(','));
      this.expect(')');
    }
    const { session } = this;
    const first = args[0] ?? (() => null);
    const calls: Readonly<Record<string, Expression>> = {
      VERSION: () => session.version,
      DATABASE: () => session.database ?? null,
      USER: () => `${session.user}@${session.host}`,
      CURRENT_USER: () => `${session.user}@%`,
      CONNECTION_ID: () => String(session.connectionId),
      LAST_INSERT_ID: () => String(session.lastInsertId),
      NOW: () => new Date(Math.floor(session.nowMs())).toISOString().slice(0, 19).replace('T', ' '),
      UNIX_TIMESTAMP: () => String(Math.floor(session.nowMs() / 1000)),
      CONCAT: (row) => args.map((arg) => arg(row) ?? '').join(''),
      UPPER: (row) => first(row)?.toUpperCase() ?? null,
      LOWER: (row) => first(row)?.toLowerCase() ?? null,
      LENGTH: (row) => {
        const value = first(row);
        return value === null ? null : String(Buffer.byteLength(value));
      },
    };
    const found = calls[name];
    if (found !== undefined) return found;
    throw new SqlError(1305, '42000', `drydock: the function ${token.text} isn't simulated`);
  }

  private variable(text: string): Cell {
    const name = text.replace(/^@@(global\.|session\.)?/i, '').toLowerCase();
    const known: Readonly<Record<string, string>> = {
      version: this.session.version,
      hostname: this.session.hostname,
      port: '3306',
      version_comment: 'MySQL Community Server - GPL',
      server_id: '1',
      read_only: '0',
      autocommit: '1',
      max_allowed_packet: '67108864',
    };
    if (!text.startsWith('@@')) return null;
    const value = known[name];
    if (value === undefined) throw new SqlError(1193, 'HY000', `Unknown system variable '${name}'`);
    return value;
  }
}

function asRow(table: Table, row: readonly Cell[]): Row {
  return new Map(table.columns.map(({ name }, index) => [name, row[index] ?? null]));
}

function isTrue(value: Cell): boolean {
  return value !== null && Number.parseFloat(value) !== 0 && !Number.isNaN(Number.parseFloat(value));
}

/** As numbers when both are, else as texts without regard to case. */
function compare(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  const [x, y] = [Number(a), Number(b)];
  if (a.trim() !== '' && b.trim() !== '' && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  const [p, q] = [a.toLowerCase(), b.toLowerCase()];
  return p < q ? -1 : p > q ? 1 : 0;
}

function arithmetic(operator: string, a: Cell, b: Cell): Cell {
  if (a === null || b === null) return null;
  const [x, y] = [Number.parseFloat(a) || 0, Number.parseFloat(b) || 0];
  if (operator === '/') return y === 0 ? null : (x / y).toFixed(4);
  if (operator === '%') return y === 0 ? null : String(x % y);
  return String(operator === '+' ? x + y : operator === '-' ? x - y : x * y);
}

function likePattern(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.')}$`,
    'is',
  );
}

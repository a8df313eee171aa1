import { describe, expect, test } from 'vitest';
import { CelScope } from '../../../../../main/kubernetes/apiserver/cel/cel.ts';
import { registerSchema } from '../../../../../main/kubernetes/apiserver/cel/schema-types.ts';

const scope = new CelScope((environment) => {
  const schema = {
    type: 'object',
    properties: {
      text: { type: 'string' },
      count: { type: 'integer' },
      names: { type: 'array', items: { type: 'string' } },
      sizes: { type: 'object', additionalProperties: { type: 'integer' } },
      'dashed-name': { type: 'boolean' },
      namespace: { type: 'string' },
      when: { type: 'string', format: 'date-time' },
      port: { 'x-kubernetes-int-or-string': true },
    },
  };
  environment.registerVariable('self', registerSchema(environment, schema, 'object.self', false));
});

function messageOf(expression: string): string {
  const compiled = scope.compile(expression);
  return 'run' in compiled ? `a ${compiled.type}` : compiled.error;
}

/** cel-go marks the place with a caret under the line. */
const at = (column: number, message: string, line: string): string =>
  `ERROR: <input>:1:${column}: ${message}\n | ${line}\n | ${'.'.repeat(column - 1)}^`;

describe('what cel-go says of', () => {
  for (const [expression, column, message] of [
    ['self.text == 1', 11, "found no matching overload for '_==_' applied to '(string, int)'"],
    ['self.count in self.names', 12, "found no matching overload for '@in' applied to '(int, list(string))'"],
    ['!self.text', 1, "found no matching overload for '!_' applied to '(string)'"],
    ['self.text && true', 11, "found no matching overload for '_&&_' applied to '(string, bool)'"],
    ['size(self.count) > 1', 5, "found no matching overload for 'size' applied to '(int)'"],
    ['self.text.startsWith(1)', 21, "found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['nothing(1)', 8, "undeclared reference to 'nothing' (in container '')"],
    ['other == 1', 1, "undeclared reference to 'other' (in container '')"],
    ['self.missing', 5, "undefined field 'missing'"],
    ['self.when > self.count', 11, "found no matching overload for '_>_' applied to '(timestamp, int)'"],
    ['self.text.more', 10, "type 'string' does not support field selection"],
    ["[1, 'a']", 5, "expected type 'int' but found 'string'"],
    ['(1', 3, "Syntax error: missing ')' at '<EOF>'"],
    ['1 2', 3, "Syntax error: extraneous input '2' expecting <EOF>"],
    ['self.', 6, "Syntax error: no viable alternative at input '.'"],
  ] as const) {
    test(expression, () => expect(messageOf(expression)).toBe(at(column, message, expression)));
  }
});

test('the second line is named, and shown', () => {
  expect(messageOf('true &&\nself.count')).toContain("<input>:1:6: found no matching overload for '_&&_'");
  expect(messageOf('true &&\nnone')).toBe(
    "ERROR: <input>:2:1: undeclared reference to 'none' (in container '')\n | none\n | ^",
  );
});

describe('fields are typed, and named so that expressions can', () => {
  for (const [expression, type] of [
    ['self.count + 1', 'int'],
    ['self.names.all(name, name.size() < 3)', 'bool'],
    ["self.sizes['a'] > 2", 'bool'],
    ['self.dashed__dash__name', 'bool'],
    ['self.__namespace__', 'string'],
    ["self.when > timestamp('2020-01-01T00:00:00Z')", 'bool'],
    ['self.port', 'dyn'],
    ['self == self', 'bool'],
  ] as const) {
    test(expression, () => expect(messageOf(expression)).toBe(`a ${type}`));
  }
});

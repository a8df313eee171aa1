import { expect, test } from 'vitest';
import { joinLines } from '../../../renderer/guide/join-lines.ts';

test('lines of Chinese join without a blank; other lines and code keep theirs', () => {
  const text = (value: string): { type: string; value: string } => ({ type: 'text', value });
  const tree = {
    type: 'root',
    children: [
      {
        type: 'paragraph',
        children: [
          text('一个虚拟服务器、\n两个真实服务器'),
          text('One line\nand the next'),
          text('用 rr\n调度'),
        ],
      },
      { type: 'code', value: '甲\n乙' },
    ],
  };
  joinLines()(tree);
  expect(tree.children[0]!.children!.map(({ value }) => value)).toEqual([
    '一个虚拟服务器、两个真实服务器',
    'One line\nand the next',
    '用 rr\n调度',
  ]);
  expect(tree.children[1]!.value).toBe('甲\n乙');
});

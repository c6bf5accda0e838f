import { describe, expect, it } from 'vitest';
import { html, joined, link } from '../../src/ui/html.ts';

describe('HTML', () => {
  it('takes everything that is put in as text', () => {
    expect(html`<p title="${'"><b>'}">${"<i>&'"}</p>`.text).toBe(
      '<p title="&quot;&gt;&lt;b&gt;">&lt;i&gt;&amp;&#39;</p>',
    );
    expect(html`${[html`<b>1</b>`, '<b>']}${undefined}${null}${false}${0}`.text).toBe('<b>1</b>&lt;b&gt;0');
  });

  it('puts separators only between what is there', () => {
    expect(joined([undefined, 'a', '', html`<b>b</b>`, false, 'c']).text).toBe('a · <b>b</b> · c');
  });

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    '//evil.example.com',
    '/\\evil.example.com',
    '/\t/evil.example.com',
    '',
    undefined,
  ])('links to no address like %j', (address) => {
    expect(link(address, 'text').text).toBe('text');
  });

  it.each(['https://git.example.com/pulls/1', 'http://git', '/changes?a=b'])('links to %s', (address) => {
    expect(link(address, 'text').text).toBe(`<a href="${address}">text</a>`);
  });
});

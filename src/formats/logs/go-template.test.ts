import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { renderGoTemplate, type TemplateFields } from './go-template.ts';

const fields: TemplateFields = {
  ID: '0123456789ab',
  Name: 'web_1',
  Labels: { 'com.x': 'y', b: '2' },
  ExtraAttributes: (_keyMod) => ({ TASK: 'seven', a: '1' }),
  Command: () => 'sh -c true',
};

function render(template: string): string {
  return renderGoTemplate(template, fields);
}

test('fields, methods and text', () => {
  assert.equal(render('plain'), 'plain');
  assert.equal(render('{{.Name}}/{{ .ID }}'), 'web_1/0123456789ab');
  assert.equal(render('a {{- .Name -}} b'), 'aweb_1b');
  assert.equal(render('{{.Command}}'), 'sh -c true');
  assert.equal(render('{{(.ExtraAttributes nil).TASK}}'), 'seven');
  assert.equal(render('{{.ExtraAttributes nil}}'), 'map[TASK:seven a:1]');
  assert.equal(render('{{(.ExtraAttributes nil).none}}'), '<no value>');
});

test('functions and pipelines', () => {
  assert.equal(render('{{upper .Name}}'), 'WEB_1');
  assert.equal(render('{{.Name | upper | lower}}'), 'web_1');
  assert.equal(render('{{truncate .ID 4}}'), '0123');
  assert.equal(render('{{join (split .Name "_") "-"}}'), 'web-1');
  assert.equal(render('{{index (split .Name `_`) 1}}'), '1');
  assert.equal(render('{{index .Labels "com.x"}}{{index .Labels "none"}}'), 'y');
  assert.equal(render('{{json .Labels}}'), '{"com.x":"y","b":"2"}');
  assert.equal(render('{{pad .ID 1 2}}|{{title "a bc"}}|{{len .Name}}|{{print "}}" 7}}'), ' 0123456789ab  |A Bc|5|}}7');
});

test('what is not understood is refused with a sentence', () => {
  for (const [template, message] of [
    ['{{.Nope}}', /can't evaluate field Nope in type \*logger\.Info/],
    ['{{if .Name}}x{{end}}', /function "if" not defined/],
    ['{{.Name', /unclosed action/],
    ['{{.Name "x"}}', /can't give argument/],
    ['{{(.Name}}', /unclosed left paren/],
    ['{{.Name)}}', /unexpected "\)"/],
    ['{{}}', /missing value/],
    ['{{upper $x}}', /unexpected/],
    ['{{pad .ID 100000 1}}', /expected a number/],
    ['{{join .Name "x"}}', /expected \[\]string/],
    ['{{.ExtraAttributes}}', /wrong number of args/],
    ['{{index (split .Name "_") 9}}', /out of range/],
    ['{{.Name.First}}', /can't evaluate field First/],
    ['{{print upper}}', /must be called/],
  ] as const)
    assert.throws(() => render(template), { reason: 'InvalidArgument', message }, template);
});

test('any text renders or is refused', () => {
  const pieces = fc.constantFrom('{{', '}}', '.Name', ' ', '|', '(', ')', '"', '`', 'upper', 'x', '-', '.', '7', 'nil');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (words) => {
      try {
        render(words.join(''));
      } catch (error) {
        assert.match(String(error), /template: log-tag/);
      }
    }),
  );
});

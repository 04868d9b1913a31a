/** What can be wrong with a field (apimachinery, field/errors.go): the reason in a Status cause, and how the text begins. */
export const fieldErrorTypes = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
} as const;

/** One wrong field: `spec.containers[0].image: Required value`. */
export interface FieldError {
  readonly type: keyof typeof fieldErrorTypes;
  /** Such as `spec.containers[0].name`. */
  readonly path: string;
  /** The value as upstream prints it after the type; undefined: it is not printed. */
  readonly value?: unknown;
  readonly detail: string;
}

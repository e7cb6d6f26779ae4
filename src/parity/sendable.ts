/** What of a request that a file describes can be sent: it must end where it should. */
import type { Fields, ReplayRequest } from "./observed.ts";

/** Headers of the connection, and those that are written anew. */
const leftOut = new RegExp(
  "^(?::.*|host|connection|content-length|transfer-encoding|keep-alive|proxy-.*|upgrade|te|" +
    "expect)$",
  "i",
);
const fieldName = /^[\w!#$%&'*+.^`|~-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a text can be a method. */
export function isMethod(text: string): boolean {
  return /^[A-Z]{1,20}$/.test(text);
}

/** Whether a text can be the path and query of a request line. */
export function isTarget(text: string): boolean {
  return /^\/[\x21-\x7e]*$/.test(text);
}

/** The fields that can be sent, and that are not the connection's. */
export function sendableFields(fields: Fields): Fields {
  return fields.filter((field) => isField(field) && !leftOut.test(field[0]));
}

/** Whether all of a request can be sent as it is. */
export function isSendable({ method, target, headers }: ReplayRequest): boolean {
  return isMethod(method) && isTarget(target) && headers.every(isField);
}

function isField([name, value]: Fields[number]): boolean {
  return fieldName.test(name) && fieldValue.test(value);
}

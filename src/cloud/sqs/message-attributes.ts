import { createHash } from 'node:crypto';
import { type Json, objectOf, textOf } from './json.ts';

/** The MD5 by which clients check the attributes of a message. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation */
export function attributesMd5(attributes: Json): string {
  const digest = createHash('md5');
  const add = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    digest.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const attribute = objectOf(attributes[name]);
    add(Buffer.from(name));
    add(Buffer.from(textOf(attribute['DataType'])));
    const isBinary = textOf(attribute['DataType']).startsWith('Binary');
    digest.update(Buffer.from([isBinary ? 2 : 1]));
    add(
      isBinary
        ? Buffer.from(textOf(attribute['BinaryValue']), 'base64')
        : Buffer.from(textOf(attribute['StringValue'])),
    );
  }
  return digest.digest('hex');
}

'use strict';

// Reads what jobs have stored in a stream of NATS JetStream, by the client of NATS for
// Node.js. Its arguments are the URL of the server and the name of the stream. It prints
// a line of JSON for each record, in the order of the stream.

const { connect } = require('@nats-io/transport-node');
const { jetstream } = require('@nats-io/jetstream');

async function read(servers, stream) {
  const connection = await connect({ servers });
  const consumer = await jetstream(connection).consumers.get(stream); // an ordered one
  const { num_pending: pending } = await consumer.info();
  if (pending > 0) {
    for await (const m of await consumer.consume()) {
      console.log(JSON.stringify({
        subject: m.subject,
        sequence: m.seq,
        data: m.string(),
        cursor: m.headers.get('Wsflow-Cursor'),
        gap: m.headers.get('Wsflow-Gap'),
        omitted: m.headers.get('Wsflow-Omitted'),
      }));
      if (m.info.pending === 0) break;
    }
  }
  await connection.close();
}

read(process.argv[2], process.argv[3]).catch((err) => {
  console.error(err);
  process.exitCode = 1;
});

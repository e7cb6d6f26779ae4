/** A DNS server with one address for all lives, which passes on, delays or loses packets. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Random } from "../../src/core/random.ts";
import type { Endpoint } from "../../src/local/service.ts";

/** What happens to the answers. */
export interface Weather {
  /** Longest delay of an answer, real. */
  readonly delayMsMax: number;
  /** Packets of one question that are lost at most: a resolver asks five times. */
  readonly lossesMax: number;
}

/** Packets pass at once. */
export const calm: Weather = { delayMsMax: 0, lossesMax: 0 };

/** A relay that runs. */
export interface Relay {
  readonly endpoint: Endpoint;
  /** Where questions go from now on. */
  server: Endpoint | null;
  weather: Weather;
  readonly answers: number;
  readonly delayed: number;
  readonly lost: number;
  close(): void;
}

const host = "127.0.0.1";

/** Opens the relay on loopback. */
export async function openRelay(random: Random): Promise<Relay> {
  const front = await bound();
  const back = await bound();
  /** By the number of the question, which its asker makes unique. */
  const asked = new Map<number, { readonly from: RemoteInfo; losses: number }>();
  const counts = { answers: 0, delayed: 0, lost: 0 };

  front.on("message", (packet, from) => {
    const id = packet.readUInt16BE(0);
    const known = asked.get(id);
    const { lossesMax } = relay.weather;
    const losses = known?.losses ?? Math.floor(random() * (lossesMax + 1));
    // Half of them get lost on the way there, half on the way back: who asks cannot tell.
    const losesQuestion = losses > 0 && random() < 0.5;
    asked.set(id, { from, losses: losesQuestion ? losses - 1 : losses });
    if (losesQuestion) counts.lost += 1;
    else if (relay.server) back.send(packet, relay.server.port, relay.server.host);
  });
  back.on("message", (packet) => {
    const question = asked.get(packet.readUInt16BE(0));
    if (question === undefined) return;
    if (question.losses > 0) {
      question.losses -= 1;
      counts.lost += 1;
      return;
    }
    asked.delete(packet.readUInt16BE(0));
    counts.answers += 1;
    const { from } = question;
    const { delayMsMax } = relay.weather;
    if (delayMsMax > 0) counts.delayed += 1;
    const send = (): void => {
      if (open) front.send(packet, from.port, from.address);
    };
    if (delayMsMax > 0) setTimeout(send, random() * delayMsMax);
    else send();
  });
  let open = true;
  const relay: Relay = {
    endpoint: { host, port: front.address().port },
    server: null,
    weather: calm,
    get answers() {
      return counts.answers;
    },
    get delayed() {
      return counts.delayed;
    },
    get lost() {
      return counts.lost;
    },
    close() {
      open = false;
      front.close();
      back.close();
    },
  };
  return relay;
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("error", () => undefined);
  socket.bind(0, host);
  await once(socket, "listening");
  return socket;
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { UserError } from "../config/errors.ts";
import { startReport } from "../dashboard/server.ts";
import { checkUnserved, servedAt, webAddress } from "./web-address.ts";

const refused = (text: RegExp, code = "OPTION_INVALID"): ((error: unknown) => boolean) => {
  return (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    assert.match(error.hint, /\.$/);
    return true;
  };
};

const served = (address: ReturnType<typeof webAddress>): Promise<unknown> =>
  servedAt(address, (at) => startReport("a", { records: [], assumptions: [] }, at));

describe("where the page is served", () => {
  it("is what was said, and nothing else", () => {
    assert.deepEqual(webAddress({}, []), {});
    const given = { "web-host": "0.0.0.0", "web-port": "8080" };
    const argv = ["--web-name", "a.example,b.example", "--web-name=c"];
    const names = ["a.example", "b.example", "c"];
    assert.deepEqual(webAddress(given, argv), { host: "0.0.0.0", port: 8080, names });
    assert.equal(webAddress({ "web-host": "fe80::1" }, []).host, "fe80::1");
  });

  it("is refused where it can be no address, port or name", () => {
    for (const host of ["http://a", "a:80", "[::1]", "a/b", "a b", "fe80::1%eth0"]) {
      assert.throws(() => webAddress({ "web-host": host }, []), refused(/is no address/), host);
    }
    for (const name of ["http://a", "a:80", "*.a", ".a", "a..b", "a".repeat(254)]) {
      assert.throws(() => webAddress({}, ["--web-name", name]), refused(/no host name/), name);
    }
    assert.throws(() => webAddress({ "web-port": "65536" }, []), refused(/--web-port/));
  });

  it("is no use where no page is served", () => {
    checkUnserved({}, "alone", "Leave it out.");
    for (const [address, option] of [
      [{ host: "::" }, /--web-host/],
      [{ port: 1 }, /--web-port/],
      [{ names: ["a"] }, /--web-name/],
    ] as const) {
      assert.throws(() => checkUnserved(address, "alone", "Leave it out."), refused(option));
    }
  });

  it("must be an address of this machine, and free", async () => {
    // TEST-NET-3 is nobody's; names below .invalid do not exist.
    for (const host of ["203.0.113.1", "nobody.invalid", "999.0.0.1"]) {
      await assert.rejects(served({ host }), refused(/cannot listen on/, "ADDRESS_FOREIGN"), host);
    }
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await assert.rejects(served({ port }), refused(/in use/, "PORT_IN_USE"));
    other.close();
    await assert.rejects(
      servedAt({}, () => Promise.reject(new RangeError("a bug"))),
      /a bug/,
    );
  });
});

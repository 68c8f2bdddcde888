// Preloaded into the playground, which would listen on every interface: here it listens on 127.0.0.1 alone.
const net = require("net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (where, ...rest) {
  if (typeof where === "number" && typeof rest[0] !== "string") return listen.call(this, where, "127.0.0.1", ...rest);
  if (where && typeof where === "object" && where.port != null) where.host = "127.0.0.1";
  return listen.call(this, where, ...rest);
};

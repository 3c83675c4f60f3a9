"""Planted credentials and innocents for `benches/secrets.py`: made here, from parts, and valid nowhere."""

from __future__ import annotations

import base64
import random
import string
from typing import NamedTuple

_B62 = string.ascii_letters + string.digits


class Case(NamedTuple):
    """A file: its path, its text, and whether a credential is in it."""

    path: str
    text: str
    planted: bool


class _Maker:
    """Random values, the same for one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def b62(self, n: int) -> str:
        return self._of(_B62, n)

    def hex(self, n: int) -> str:
        return self._of("0123456789abcdef", n)

    def digits(self, n: int) -> str:
        return self._of(string.digits, n)

    def upper(self, n: int) -> str:
        return self._of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n)

    def password(self) -> str:
        return "Xq7" + self.b62(9) + "!k2"

    def pem(self) -> str:
        body = "\n".join(self.b62(64) for _ in range(8))
        return "-----BEGIN " + f"PRIVATE KEY-----\n{body}\n-----END " + "PRIVATE KEY-----\n"

    def login(self) -> str:
        return base64.b64encode(f"bob:{self.b62(24)}".encode()).decode()

    def uuid(self) -> str:
        h = self.hex(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def _of(self, alphabet: str, n: int) -> str:
        return "".join(self._random.choice(alphabet) for _ in range(n))


def planted(seed: int) -> list[Case]:
    """63 placements of credentials."""
    m = _Maker(seed)
    b, p = m.b62, m.password
    files = {
        "db.env": f"DB_HOST=db.corp.net\nDB_PASS={p()}\n",
        ".env": "STRIPE=sk_" + f"live_{b(24)}\n",
        "prod.env": "export AWS_ACCESS_KEY_ID=AK" + f"IA{m.upper(16)}\n",
        "aws/credentials": f"[default]\naws_secret_access_key = {b(40)}\n",
        "wp-config.php": f"<?php\ndefine( 'DB_PASSWORD', '{p()}' );\n",
        "settings.xml": f"<servers><server><id>c</id><password>{p()}</password></server></servers>\n",
        "Conn.cs": f'var c = "Server=db.corp.net; User Id=svc; Password={p()};";\n',
        "env.py": f'import os\nos.environ["SERVICE_API_KEY"] = "{b(32)}"\n',
        "cfg.py": f'config["password"] = "{p()}"\n',
        "mail.js": f'module.exports = {{ auth: {{ user: "bot", pass: "{p()}" }} }};\n',
        "Ds.java": f'class Ds {{ void f() {{ ds.setPassword("{p()}"); }} }}\n',
        "url.py": f'URL = "https://api.corp.net/v1?apiKey={b(32)}&page=1"\n',
        "default.py": f'import os\nSECRET_KEY = os.environ.get("SECRET_KEY", "{b(32)}")\n',
        "app.yml": f"openai:\n  api-key: ${{OPENAI_API_KEY:{b(32)}}}\n",
        "kube.yaml": "users:\n- user:\n    client-key-data: " + base64.b64encode(m.pem().encode()).decode() + "\n",
        "plain.ini": f"[db]\nuser = app\npassword = {p()}\n",
        "id_rsa": m.pem(),
        "sa.json": '{"type": "service_account", "private_key": "' + m.pem().replace("\n", "\\n") + '"}\n',
        "ci.yml": "env:\n  GITHUB_TOKEN: gh" + f"p_{b(36)}\n",
        "gl.yml": "variables:\n  T: glp" + f"at-{b(20)}\n",
        "notify.sh": f"curl -XPOST https://hooks.slack.com/services/T{m.upper(10)}/B{m.upper(10)}/{b(24)}\n",
        "bot.py": 'client = Client("xo' + f'xb-{m.digits(12)}-{m.digits(12)}-{b(24)}")\n',
        "maps.kt": 'val key = "AI' + f'za{b(35)}"\n',
        "llm.py": 'client = OpenAI(api_key="sk-' + f'proj-{b(60)}")\n',
        "claude.ts": 'new Client({ apiKey: "sk-' + f'ant-api03-{b(93)}AA" }});\n',
        ".npmrc": "//npm.corp.net/:_authToken=np" + f"m_{b(36)}\n",
        ".pypirc": "[pypi]\nusername = __token__\npassword = pyp" + f"i-AgEIcHlwaS5vcmc{b(70)}\n",
        "hub.py": 'login("h' + f'f_{b(34)}")\n',
        "mail.rb": 'SendGrid.new("S' + f'G.{b(22)}.{b(43)}")\n',
        "do.tf": 'provider "digitalocean" {\n  token = "do' + f'p_v1_{m.hex(64)}"\n}}\n',
        "vault.hcl": 'token = "hv' + f's.{b(90)}"\n',
        "shop.js": 'const t = "shp' + f'at_{m.hex(32)}";\n',
        "spark.py": 'dbutils.connect("dap' + f'i{m.hex(32)}")\n',
        "azure.json": '{"c": "DefaultEndpointsProtocol=https;AccountName=x;Account' + f'Key={b(86)}=="}}\n',
        "twilio.py": 'c = Client(sid, "S' + f'K{m.hex(32)}")\n',
        "tg.go": f'bot, _ := New("{m.digits(10)}:A' + f'A{b(33)}")\n',
        "discord.sh": f"curl https://discord.com/api/webhooks/{m.digits(18)}/{b(68)}\n",
        "jwt.go": 'var t = "ey' + f'J{b(33)}.eyJ{b(60)}.{b(43)}"\n',
        "database.yml": f"production:\n  url: postgres://app:{b(16)}@db.corp.net:5432/app\n",
        "redis.py": f'r = Redis.from_url("redis://:{b(20)}@cache.corp.net:6379/0")\n',
        "mongo.js": f'mongoose.connect("mongodb+srv://svc:{b(18)}@c0.corp.net/db");\n',
        "call.sh": f"curl -H 'Authorization: Bearer {b(40)}' https://api.corp.net\n",
        "basic.sh": f"curl -u admin:{b(16)} https://api.corp.net\n",
        "netrc": f"machine git.corp.net login bob password {b(16)}\n",
        "docker.json": f'{{"auths": {{"ghcr.io": {{"auth": "{m.login()}"}}}}}}\n',
        "Dockerfile": f"FROM alpine\nENV API_TOKEN {b(32)}\n",
        "deploy.yaml": f"env:\n- name: SERVICE_API_KEY\n  value: {b(32)}\n",
        "web.config": f'<configuration><add key="ApiKey" value="{b(32)}" /></configuration>\n',
        "vars.tf": f'variable "db_password" {{\n  default = "{p()}"\n}}\n',
        "secrets.yml": f"production:\n  secret_key_base: {m.hex(128)}\n",
        "api.rs": f'const API_KEY: &str = "{b(32)}";\n',
        "main.swift": f'let clientSecret: String = "{b(32)}"\n',
        "index.ts": f'const key = process.env.API_KEY || "{b(32)}";\n',
        "grant.sql": f"CREATE USER app IDENTIFIED BY '{p()}';\n",
        "login.ps1": f'$p = ConvertTo-SecureString "{p()}" -AsPlainText -Force\n',
        "wide.env": "\ufeffAPI_TOKEN=" + b(32) + "\r\n",
        "notes.txt": f"staging password: {p()}\n",
        "gradle.properties": f"signing.password={p()}\n",
        "compose.yml": f"services:\n  mail:\n    environment:\n      PASS: {p()}\n",
        "smtp.yml": f"smtp:\n  user: bot\n  pass: {p()}\n",
        "login.txt": f"user: bob\npass: {p()}\n",
        "hint.rb": f"# bot, pass: {p()}\n",
        "jdbc.properties": f"url=jdbc:mysql://db.corp.net/app?user=app&password={b(16)}\n",
    }
    return [Case(f"src/{name}", text, True) for name, text in files.items()]


def innocent(seed: int) -> list[Case]:
    """40 files that hold nothing secret, though something in them may look so."""
    m = _Maker(seed)
    b = m.b62
    files = {
        "sealed.yaml": f"kind: SealedSecret\nspec:\n  encryptedData:\n    password: Ag{b(300)}==\n",
        "errors.py": 'PASSWORD_TOO_SHORT = "ERR4012_PASSWORD"\nINVALID_TOKEN = "E1003_INVALID_TOKEN_VALUE"\n',
        "page.py": f'resp = get(pageToken="CAoQ{b(20)}")\n',
        "next.ts": f'const nextPageToken = "{b(32)}";\n',
        "lock.json": f'{{"integrity": "sha512-{b(86)}=="}}\n',
        "hash.py": f'PASSWORD_HASH = "$2b$12${b(53)}"\n',
        "argon.yml": f"password: $argon2id$v=19$m=65536,t=3,p=4${b(22)}${b(43)}\n",
        "env.py": 'import os\ntoken = os.environ["API_TOKEN"]\nkey = os.getenv("API_KEY_V2")\n',
        "ref.yml": "password: ${DB_PASSWORD}\ntoken: ${{ secrets.DEPLOY_TOKEN }}\n",
        "vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n" + m.hex(160) + "\n",
        "sops.yaml": f"password: ENC[AES256_GCM,data:{b(20)},iv:{b(43)}=,tag:{b(22)}==,type:str]\n",
        "public.pem": "-----BEGIN PUBLIC KEY-----\n" + b(64) + "\n-----END PUBLIC KEY-----\n",
        "id.pub": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b(43)} ada@host\n",
        "uuid.json": f'{{"token": "{m.uuid()}"}}\n',
        "commit.py": f'PINNED = "{m.hex(40)}"\n',
        "cache.ts": f'const cacheKey = "{b(32)}";\n',
        "i18n.js": 'export default { password: "Your password must have 8 characters", apiKey: "API key 2" };\n',
        "place.html": '<input name="password" placeholder="Password123" value="">\n',
        "fake.env": "API_KEY=your-api-key-here\nTOKEN=xxxxxxxxxxxxxxxxxxxx\nPASSWORD=changeme123\n",
        "aws.py": 'KEY = "AK' + 'IAIOSFODNN7EXAMPLE"\n',
        "url.py": 'URL = "postgres://postgres:postgres@localhost:5432/app"\n',
        "firebase.js": 'const c = { apiKey: "AI' + f'za{b(35)}", authDomain: "x.firebaseapp.com" }};\n',
        "stripe.js": 'loadStripe("pk_' + f'live_{b(24)}");\n',
        "dsn.py": f'sentry_sdk.init("https://{m.hex(32)}@o1.ingest.sentry.io/2")\n',
        "token.py": 'TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt"\ntoken = tokenizer.next_token(12)\n',
        "ml.py": 'model = "bert-base-uncased-v2"\nmax_tokens = 40960\npad_token = "[PAD]"\n',
        "css.css": ".sk-fading-circle-container-2 { color: #a1b2c3; }\n",
        "csrf.html": f'<meta name="csrf-token" content="{b(40)}">\n',
        "go.sum": f"corp.net/x/text v0.3.0 h1:{b(43)}=\n",
        "font.css": f"src: url(data:font/woff2;base64,{b(400)})\n",
        "meta.yml": f"fingerprint: SHA256:{b(43)}\npassword_file: /run/secrets/db_password_2024\n",
        "recaptcha.html": f'<div class="g-recaptcha" data-sitekey="6Lc{b(37)}"></div>\n',
        "go.log": "    --- PASS: TestLexerV2/Unicode12_Key9 (0.02s)\n--- PASS: TestB_V3Key7 (1.20s)\n",
        "automake.log": "PASS: tests/sha256-v2.sh 3 - HKDF32Key\nFAIL: tests/aes-v2.sh 1 - Key256\n# PASS:  12\n",
        "passes.txt": "Pass: ForwardLit2_ShadowCaster9\nPass: LoopUnroll2-v3.Vectorize9\n",
        "doctest.py": f'def login(password):\n    """\n    >>> login(password=\'{m.password()}\')\n    """\n',
        "rules.go": f'{{re: `ghp_[A-Za-z0-9]{{36}}`, example: "gh{"p_"}{b(36)}"}},\n',
        "basic.kt": 'request.header("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")\n',
        "time.json": '{"passwordLastUsed": "2024-09-08T21:47:36Z", "token_count": 123456}\n',
        "public.ts": f'export const publicKey = "{b(44)}";\n',
    }
    return [Case(f"src/{name}", text, False) for name, text in files.items()]

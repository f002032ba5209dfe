//! Events of a FRITZ!Box in German. Umlauts come in UTF-8, in Latin-1 and as two letters: `.{1,2}`.
use super::{Rule, error, event};

/// Tried for every program, before [`super::system::ANY`]: the pages name none.
pub const RULES: [Rule; 13] = [
    error(
        "registration-failed",
        r"(?i)Internet(?:rufnummer|telefonie)\b.*(?:nicht erfolgreich|fehlgeschlagen|gescheitert|nicht registriert)",
        &[
            concat!(
                "Anmeldung der Internetrufnummer 4930123456 war nicht erfolgreich. Ursache: ",
                "Gegenstelle antwortet nicht. Zeitüberschreitung."
            ),
            "Internettelefonie mit 030123456 über sip.example.net war nicht erfolgreich. Ursache: Dienst nicht verfügbar (503)",
        ],
    ),
    error(
        "wifi-auth-failed",
        r"(?i)WLAN-Anmeldung ist (?:gescheitert|fehlgeschlagen)|WLAN-Ger.{1,2}t Anmeldung gescheitert",
        &["WLAN-Anmeldung ist gescheitert (2,4 GHz): ungültiger WLAN-Schlüssel. MAC-Adresse: 02:00:00:00:00:01."],
    )
    .retry(),
    error(
        "auth-failure",
        r"(?i)Anmeldung\b.*(?:gescheitert|fehlgeschlagen|falsches Kennwort)|Fehler bei der Anmeldung",
        &[
            "Anmeldung beim Internetanbieter ist fehlgeschlagen. Ursache: Benutzername oder Kennwort falsch.",
            concat!(
                "Anmeldung des Benutzers admin an der FRITZ!Box-Benutzeroberfläche von IP-Adresse 192.0.2.20 ",
                "gescheitert (falsches Kennwort)."
            ),
        ],
    ),
    error(
        "ppp-timeout",
        r"(?i)PPP\S*\b.*(?:Zeit.{1,2}berschreitung|Timeout)|(?:Zeit.{1,2}berschreitung|Timeout)\b.*\bPPP",
        &[
            "PPPoE-Fehler: Zeitüberschreitung.",
            "PPPoE-Fehler: Zeitueberschreitung.",
            "Timeout bei der PPP-Aushandlung.",
        ],
    )
    .retry(),
    error("ppp-failed", r"(?i)PPPo?E?-Fehler", &["PPPoE-Fehler: PADO nicht empfangen."]).retry(),
    error(
        "line-down",
        concat!(
            r"(?i)\b(?:DSL|Kabel|Glasfaser|Fiber|DOCSIS)\S*(?: \S+){0,3} antwortet nicht|",
            r"keine (?:DSL|Kabel|Glasfaser|DOCSIS)-(?:Synchronisierung|Verbindung)|",
            r"\b(?:DSL|Kabel|Glasfaser)(?:-\S+)? .*(?:getrennt|unterbrochen|verloren|ausgefallen|gest.{1,2}rt)"
        ),
        &[
            "DSL antwortet nicht (Keine DSL-Synchronisierung).",
            "Kabel antwortet nicht (Keine Kabel-Synchronisierung).",
            "Die Kabel-Verbindung wurde unterbrochen.",
        ],
    )
    .reset(),
    // The box parts the line itself, at night, before the provider does.
    event(
        "planned-reconnect",
        r"(?i)wird kurz unterbrochen, um der Zwangstrennung|Zwangstrennung durch den Anbieter",
        &[concat!(
            "Die Internetverbindung wird kurz unterbrochen, um der Zwangstrennung durch den Anbieter ",
            "zuvorzukommen."
        )],
    )
    .reset(),
    error(
        "connection-failed",
        r"(?i)\S*verbindung\b.*(?:nicht (?:hergestellt|aufgebaut|erfolgreich)|fehlgeschlagen|gescheitert)|VPN-Fehler",
        &["Internetverbindung konnte nicht hergestellt werden.", "VPN-Fehler: home, IKE-Error 0x203d"],
    )
    .retry(),
    error(
        "connection-down",
        r"(?i)(?:Internet|Mobilfunk|VPN|IPv6|WAN|LTE)-?\S*verbindung\b.*(?:getrennt|unterbrochen|verloren|abgebrochen)",
        &[
            "Internetverbindung wurde getrennt.",
            "Internetverbindung IPv6 wurde getrennt, Präfix nicht mehr gültig.",
            "Mobilfunkverbindung wurde getrennt.",
        ],
    )
    .reset(),
    event(
        "connection-up",
        concat!(
            r"(?i)verbindung\b.*(?:hergestellt|aufgebaut|verl.{1,2}ngert|erneuert|aktualisiert)|",
            r"\b(?:DSL|Kabel|Glasfaser|Fiber|DOCSIS)\S* ist (?:wieder )?verf.{1,2}gbar|Synchronisierung (?:besteht|beginnt)|",
            r"(?:war|wurden?|ist) erfolgreich|erfolgreich (?:angemeldet|aktualisiert|abgeschlossen|hergestellt)"
        ),
        &[
            "Internetverbindung wurde erfolgreich hergestellt. IP-Adresse: 203.0.113.9, DNS-Server: 192.0.2.53",
            "DSL ist verfügbar (DSL-Synchronisierung besteht mit 102345/45678 kbit/s).",
            "DSL-Synchronisierung beginnt (Training).",
            "Anmeldung der Internetrufnummer 4930123456 war erfolgreich.",
        ],
    ),
    event(
        "wifi-station-left",
        r"(?i)WLAN-Ger.{1,2}t (?:hat sich |wurde )?(?:neu )?abgemeldet",
        &[
            "WLAN-Gerät hat sich abgemeldet (2,4 GHz), pc, IP 192.0.2.20, MAC 02:00:00:00:00:01.",
            "WLAN-Gerät wurde abgemeldet (5 GHz), pc, IP ---, MAC 02:00:00:00:00:01: Gerät antwortet nicht",
        ],
    )
    .reset(),
    error(
        "wifi-radar",
        r"(?i)Radar\S*\b.*\b(?:erkannt|Kanal ge.{1,2}ndert)|Radarerkennung",
        &["5-GHz-WLAN: Radar auf Kanal 52 erkannt, Kanal gewechselt"],
    )
    .reset(),
    error(
        "timeout",
        r"(?i)Zeit.{1,2}berschreitung|antwortet nicht|nicht erreichbar|keine Antwort",
        &["Zeitserver nicht erreichbar", "Gegenstelle antwortet nicht"],
    )
    .retry(),
];

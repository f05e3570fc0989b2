//! Currencies of ISO 4217 and how many decimals their minor unit stands for.

use crate::Flaw;

/// A currency of the ISO 4217 list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    decimals: u32,
}

impl Currency {
    /// The currency of a three-letter code in upper case.
    ///
    /// # Errors
    /// The code is none of the list.
    pub fn parse(code: &str) -> Result<Self, Flaw> {
        find(&CODES, code).ok_or(Flaw::malformed("must be a currency code that ISO 4217 has today, such as \"EUR\""))
    }

    /// The currency of a stored code, which may have been retired since.
    pub fn stored(code: &str) -> Option<Self> {
        find(&CODES, code).or_else(|| find(&RETIRED, code))
    }

    /// Its three letters.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Decimals of its minor unit: 2 for EUR, 0 for JPY.
    pub fn decimals(self) -> u32 {
        self.decimals
    }

    /// Minor units in one unit: 100 for EUR, 1 for JPY.
    pub fn minor_units(self) -> i64 {
        10i64.pow(self.decimals)
    }
}

fn find(codes: &[(u32, &'static str)], code: &str) -> Option<Currency> {
    // Every row of a page is looked up: three letters and a blank at a time, and no search for blanks.
    let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
    let find = |list: &'static str| {
        let nth = list.as_bytes().chunks(4).position(|listed| listed.first_chunk() == Some(&letters))?;
        list.get(4 * nth..4 * nth + 3)
    };
    codes.iter().find_map(|(decimals, list)| find(list).map(|code| Currency { code, decimals: *decimals }))
}

/// Active codes, as of 2026, by the decimals of their minor unit. Funds, units of account, metals and test codes are no money to earn.
/// Who takes one out puts it among the retired: amounts in it are stored.
const CODES: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
         IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
         NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
         STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "UYW"),
];

/// Codes that earlier releases took; also those that other systems still write, should they come into the tables.
const RETIRED: [(u32, &str); 1] = [(2, "ANG BGN CUC HRK SLL ZWL")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_today() {
        for code in ["VED", "VES", "SLE", "XCG", "ZWG", "EUR", "UYW", "STN", "MRU", "BYN"] {
            assert_eq!(Currency::parse(code).map(Currency::code), Ok(code));
        }
        for code in ["BGN", "HRK", "ANG", "CUC", "SLL", "ZWL", "LTL", "CLF", "CHE", "XAU", "XDR", "XAD", "XTS"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
        assert_eq!(CODES.iter().map(|(_, list)| list.split_ascii_whitespace().count()).sum::<usize>(), 156);
    }

    #[test]
    fn every_listed_code_is_found_and_nothing_between_them() {
        for (decimals, list) in CODES.into_iter().chain(RETIRED) {
            for code in list.split_ascii_whitespace() {
                assert_eq!(Currency::stored(code), Some(Currency { code, decimals }));
            }
        }
        for code in ["", "E", "EU", "EURO", "UR ", " EU", "R G", "eur", "ÄU", "\u{20ac}"] {
            assert_eq!(Currency::stored(code), None, "{code:?}");
        }
    }

    #[test]
    fn stored_amounts_outlive_their_currency() {
        assert_eq!(Currency::stored("BGN").map(Currency::minor_units), Some(100));
        assert_eq!(Currency::stored("JPY").map(Currency::minor_units), Some(1));
        assert_eq!(Currency::stored("XXX"), None);
    }

    #[test]
    fn minor_units_are_those_of_iso_4217() {
        for (code, units) in [("ISK", 1), ("HUF", 100), ("MGA", 100), ("KWD", 1000), ("IQD", 1000), ("UYW", 10_000)] {
            assert_eq!(Currency::parse(code).map(Currency::minor_units), Ok(units), "{code}");
        }
    }
}

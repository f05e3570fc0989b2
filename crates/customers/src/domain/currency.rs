//! Currencies of ISO 4217 and how many decimals their minor unit stands for.

use super::Fault;

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
    pub fn parse(code: &str) -> Result<Self, Fault> {
        let find = |list: &'static str| list.split_ascii_whitespace().find(|listed| *listed == code);
        CODES
            .iter()
            .find_map(|(decimals, list)| find(list).map(|code| Self { code, decimals: *decimals }))
            .ok_or(Fault::malformed("must be a currency code of ISO 4217 such as \"EUR\""))
    }

    /// Its three letters.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Minor units in one unit: 100 for EUR, 1 for JPY.
    pub fn minor_units(self) -> i64 {
        10i64.pow(self.decimals)
    }
}

/// Active codes by the decimals of their minor unit. Funds, metals and test codes are no money to earn.
const CODES: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP \
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR \
         IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
         NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
         STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "UYW"),
];
